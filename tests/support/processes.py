"""Runs of a project in processes of their own, forked off one that has imported all and has run nothing."""

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import pytest
from project import Project

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["warm", "processes"])


def begun(run: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """Begin a process."""
    with pytest.MonkeyPatch.context() as patched:  # the server of Python 3.11 looks for modules nowhere else
        patched.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        ensure_running()
    process = CONTEXT.Process(target=run, args=arguments)
    process.start()
    return process


def run_grid(project: Project, number: int, methods: list[str]) -> None:
    """Run a grid of its own, in an environment of its own; keep what is printed, and exit as the command does."""
    project.grid["methods"] = methods
    (project.folder / f"conf/grid{number}").mkdir(exist_ok=True)
    _run(project, f"grid{number}", project.folder / f"out{number}")


def run_within(project: Project, size: int) -> None:
    """Run where no file may grow beyond a number of bytes."""
    project.write("local")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    _run(project, "local", project.folder / "out")


def _run(project: Project, environment: str, out: Path) -> None:
    os.chdir(project.folder)
    os.environ["PEFT_DIR"] = str(project.folder / "methods")
    result = project.kedro("run", f"--env={environment}", environment=environment)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    out.write_text(result.output)
    sys.exit(result.exit_code)
