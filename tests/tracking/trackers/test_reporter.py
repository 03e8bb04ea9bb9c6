"""A tracker that fails or hangs stops alone, and says why."""

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tracked import LORA, made_up_cell

from peft_pipelines.tracking.trackers.reporter import Reporter


class Opened:
    """A tracker of which no method but some is ever called."""

    def __init__(self, *_: object, **methods: Any) -> None:
        self.closed = False
        self.__dict__ |= methods

    def close(self) -> None:
        self.closed = True


def test_an_error_stops_it_and_closes_the_tracker(tmp_path: Path) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    tracker = Opened(begin=full)
    reporter = Reporter("some", lambda _: tracker, tmp_path)  # type: ignore[arg-type,return-value]
    for _ in range(3):
        reporter.tell(lambda runs: runs.begin(made_up_cell(tmp_path)))
    reporter.end(10)
    assert reporter.trouble == "OSError: [Errno 28] No space left on device"
    assert tracker.closed


def test_one_that_cannot_be_opened_is_waited_for_no_longer(tmp_path: Path) -> None:
    def no(_: Path) -> Any:
        raise ImportError("no module\nof this name")

    reporter = Reporter("some", no, tmp_path)
    reporter.wait()
    assert reporter.trouble == "ImportError: no module of this name"
    reporter.tell(lambda runs: runs.end(LORA, failed=False))
    reporter.end(10)


def test_one_that_hangs_is_left_behind(tmp_path: Path) -> None:
    go_on = Event()
    reporter = Reporter("some", lambda _: Opened(begin=lambda *_: go_on.wait(60)), tmp_path)  # type: ignore[arg-type,return-value]
    reporter.wait()
    reporter.tell(lambda runs: runs.begin(made_up_cell(tmp_path)))
    reporter.end(0.2)
    assert reporter.trouble == "it has not written everything by the end of the run"
    go_on.set()


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_library_that_would_end_the_process_does_not(tmp_path: Path, error: BaseException) -> None:
    def leave(_: Path) -> Any:
        raise error

    reporter = Reporter("some", leave, tmp_path)
    reporter.end(10)
    assert reporter.trouble.startswith(type(error).__name__)
