"""A thread that tells one tracker what becomes of cells, so that no cell waits for it and none is lost with it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from peft_pipelines.tracking.trackers.tracked_runs import TrackedRuns, Tracker

PATIENCE = 60.0
"""Seconds that trackers have to begin, and at the end of a run for what is not written yet."""
OPEN = "open"
"""The folder, beside those of the trackers, of the runs that have not ended."""

Told = Callable[[TrackedRuns], object]


class Reporter:
    """Tells a tracker one thing after another. At its first error it stops: cells go on without it.

    ``trouble`` is what has stopped it, in a line; empty as long as it works.

    Args:
        name: the tracker's name.
        tracker: opens it, in a folder.
        folder: the folder of all trackers.
    """

    def __init__(self, name: str, tracker: Callable[[Path], Tracker], folder: Path) -> None:
        self.name, self.trouble = name, ""
        self._tracker, self._folder = tracker, folder
        self._queue: SimpleQueue[Told | None] = SimpleQueue()
        self._ready = Event()
        self._thread = Thread(target=self._work, name=f"tracker {name}", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the tracker is open, or has failed: no cell is to be charged with the seconds that this costs."""
        self._ready.wait(PATIENCE)

    def tell(self, told: Told) -> None:
        """Have the tracker told something, in its turn."""
        if not self.trouble:
            self._queue.put(told)

    def end(self, patience: float) -> None:
        """Wait for what was told, some seconds at most; runs of cells that have not ended end as interrupted."""
        self.tell(TrackedRuns.close)
        self._queue.put(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            self.trouble = "it has not written everything by the end of the run"

    def _work(self) -> None:
        tracker: Tracker | None = None
        try:
            tracker = self._tracker(self._folder / self.name)
            runs = TrackedRuns(tracker, self._folder / OPEN / self.name)
            runs.end_dead()
            self._ready.set()
            while told := self._queue.get():
                told(runs)
            tracker.close()
        except BaseException as error:  # whatever a library of others does must not cost a cell
            self.trouble = self.trouble or _line(error)
            self._ready.set()
            with suppress(Exception):
                if tracker:
                    tracker.close()


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text:.300}" if text else type(error).__name__
