"""The worker's end of the line: what is said comes over, and the worker ends with its run."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

from peft_pipelines.running.channel import Logged, Noted, Shown
from peft_pipelines.running.interruption import Stopped, stopping
from peft_pipelines.running.worker_line import Line, Log, Printed, Relay


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Line]]:
    """The run's end and the worker's."""
    run, worker = Pipe()
    line = Line(worker)
    yield run, line
    run.send(None)  # ends the listening
    time.sleep(0.05)
    run.close()
    worker.close()


def heard(run: Connection) -> list[object]:
    found = []
    while run.poll():
        found.append(run.recv())
    return found


def test_what_is_shown_and_printed_comes_over(ends: tuple[Connection, Line], monkeypatch: pytest.MonkeyPatch) -> None:
    run, line = ends
    shown = Relay(line)
    shown.begin("a cell")
    shown.phase("train")
    for done in range(1000):
        shown.step("training", done + 1, 1000)
    monkeypatch.setattr(sys, "stdout", Printed(shown))
    print("one\ntwo", end="")  # noqa: T201
    print(" and a half")  # noqa: T201
    first, second, *steps, one, two = heard(run)
    assert (first, second) == (Shown("begin", ("a cell",)), Shown("phase", ("train",)))
    assert (one, two) == (Noted("one"), Noted("two and a half"))
    assert len(steps) < 100 and steps[-1] == Shown("step", ("training", 1000, 1000))


def test_the_log_comes_over_as_text(ends: tuple[Connection, Line]) -> None:
    run, line = ends
    logger = logging.getLogger("some.library")
    logger.addHandler(handler := Log(line))
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("of %s", {object})
    logger.removeHandler(handler)
    (message,) = heard(run)
    assert isinstance(message, Logged)
    assert message.record.name == "some.library"
    assert message.record.getMessage().startswith("of {<class 'object'>}\nTraceback")


def test_orders_are_heard_in_turn_and_errors_of_reading_raised(ends: tuple[Connection, Line]) -> None:
    run, line = ends
    run.send(1)
    run.send_bytes(b"no pickle")
    assert line.hear() == 1
    with pytest.raises(Exception, match="invalid load key"):
        line.hear()


def test_a_worker_whose_run_is_gone_is_ended() -> None:
    run, worker = Pipe()
    with pytest.raises(Stopped, match="SIGTERM"), stopping():
        Line(worker)
        run.close()
        time.sleep(5)
    worker.close()


def test_nobody_to_tell_is_an_end_and_no_error() -> None:
    run, worker = Pipe()
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        line = Line(worker)
        run.close()
        with pytest.raises(Stopped):
            line.send(Noted("still here"))
        time.sleep(0.1)
    finally:
        signal.signal(signal.SIGTERM, before)
        worker.close()
