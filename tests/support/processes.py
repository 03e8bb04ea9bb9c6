"""Runs of a project in processes of their own, forked off one that has imported all and has run nothing."""

import ctypes
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

CANNOT = 77
_CAPABILITIES, _MOUNTS = 0x20080522, 0x20000
"""The version of Linux's sets of capabilities, and its flag of a space of mounts of one's own."""
_PRIVATE, _BIND = 0x44000, 0x1000
_READ_ONLY = _BIND | 0x21
"""Flags of mounts: changes stay here (for all below); a second place of a folder; that place, to be read only."""

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
    run_side_by_side(project, number, methods, workers=1)


def run_side_by_side(project: Project, number: int, methods: list[str], workers: int = 2) -> None:
    """The same in several workers."""
    project.grid["methods"] = methods
    (project.folder / f"conf/grid{number}").mkdir(exist_ok=True)
    _run(project, f"grid{number}", project.folder / f"out{number}", f"--workers={workers}")


def run_within(project: Project, size: int) -> None:
    """Run where no file may grow beyond a number of bytes."""
    project.write("local")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    _run(project, "local", project.folder / "out")


def run_without_rights(project: Project) -> None:
    """Run as someone who may do what the modes of files say and no more, which does not hold for root."""
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, none) == 0
    _run(project, "local", project.folder / "out")


def run_read_only(project: Project) -> None:
    """Run where the store is mounted to be read only; exit with ``CANNOT`` where this process may mount nothing."""
    libc, store = ctypes.CDLL(None), bytes(project.folder / "data")
    if libc.unshare(_MOUNTS) or libc.mount(None, b"/", None, _PRIVATE, None):
        sys.exit(CANNOT)
    assert libc.mount(store, store, None, _BIND, None) == libc.mount(None, store, None, _READ_ONLY, None) == 0
    _run(project, "local", project.folder / "out")


def _run(project: Project, environment: str, out: Path, *options: str) -> None:
    os.chdir(project.folder)
    os.environ["PEFT_DIR"] = str(project.folder / "methods")
    result = project.kedro("run", f"--env={environment}", *options, environment=environment)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    out.write_text(result.output)
    sys.exit(result.exit_code)
