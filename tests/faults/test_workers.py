"""A run with workers that is ended in the middle: all of its processes end within seconds, and the next one goes on."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil
import pytest
from processes import begun, run_side_by_side
from project import Project, project  # noqa: F401
from recorded import ids, manifest

from peft_pipelines.files.status import Status

METHODS = ["lora", "bitfit", "prefix_tuning"]


def until(true: Callable[[], object]) -> None:
    patience = time.monotonic() + 120
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.02)


@pytest.fixture
def running(project: Project) -> tuple[ForkServerProcess, list[psutil.Process]]:  # noqa: F811
    """A run both of whose workers train, and all of its processes below it."""
    project.parameters["training"]["epochs"] = 10_000
    run = begun(run_side_by_side, project, 0, METHODS)
    until(lambda: len(list(Path("data").glob("06_models/*/*/*/*/state/*"))) >= 2 or run.exitcode is not None)
    assert run.pid and run.exitcode is None, Path("out0").read_text()
    return run, psutil.Process(run.pid).children(recursive=True)


def ended(workers: list[psutil.Process], begin: float) -> None:
    """All ended within five seconds."""
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive
    assert time.monotonic() - begin < 5.5


def left() -> list[Path]:
    return [path for path in Path("data").rglob("*") if path.name == "claim.json" or path.suffix == ".part"]


def goes_on(project: Project) -> None:  # noqa: F811
    project.parameters["training"]["epochs"] = 1
    project.grid["methods"] = METHODS
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    assert manifest(ids()[-1])["status"] == Status.DONE
    assert not left()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_all_in_words(
    project: Project,  # noqa: F811
    running: tuple[ForkServerProcess, list[psutil.Process]],
    number: signal.Signals,
    code: int,
) -> None:
    run, workers = running
    assert run.pid and len(workers) >= 2
    begin = time.monotonic()
    for process in (psutil.Process(run.pid), *workers) if number == signal.SIGINT else [psutil.Process(run.pid)]:
        process.send_signal(number)  # a terminal sends Ctrl-C to all processes
    run.join(timeout=6)
    ended(workers, begin)
    assert run.exitcode == code
    lines = [line for line in Path("out0").read_text().splitlines() if "interrupted" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"interrupted by {number.name} at ")
    assert lines[0].count(" · tiny · mood · s0 (train)") == 2
    assert lines[0].endswith("; 0 of 3 cells stand. To go on: the same kedro run")
    assert manifest(ids()[-1])["status"] == Status.INTERRUPTED
    assert not left()
    goes_on(project)


def test_workers_end_when_their_run_is_killed(
    project: Project,  # noqa: F811
    running: tuple[ForkServerProcess, list[psutil.Process]],
) -> None:
    run, workers = running
    assert run.pid
    begin = time.monotonic()
    os.kill(run.pid, signal.SIGKILL)
    run.join()
    ended(workers, begin)
    assert manifest(ids()[-1])["status"] == Status.RUNNING
    goes_on(project)
