"""The runs of one tracker: which cells have one open, and which of a killed run are taken up again."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ValidationError

from peft_pipelines.files.atomic import write_json
from peft_pipelines.files.owner import Life, Owner, me
from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tracked_cell import Result, TrackedCell, result_of

TRAIN = "train"
"""The series of the training that a cell has kept; a search has others beside it, one a learning rate."""


class Tracker(Protocol):
    """What a tracker can do. A run of it is given by the name that ``begin`` has returned."""

    def begin(self, cell: TrackedCell, before: str | None) -> str:
        """Begin a run for a cell, or take up the one from ``before``, which a killed run has left."""

    def last_steps(self, run: str) -> dict[str, int]:
        """Return the last step of each number that a run holds already."""

    def log(self, run: str, step: int, numbers: Mapping[str, float]) -> None:
        """Add numbers of a step to a run, by names such as ``train/loss``."""

    def end(self, run: str, result: Result) -> None:
        """End a run."""

    def end_dead(self, run: str) -> None:
        """Mark a run whose process was killed as ended."""

    def close(self) -> None:
        """Release what the tracker holds."""


class _Open(BaseModel):
    """A run that has not ended: its name, what decides its cell, and the process that writes it, None once marked."""

    run: str
    decided: str
    owner: str | None


class TrackedRuns:
    """The runs of a tracker for the cells of a run. ``folder`` keeps which have not ended, a file a cell.

    A cell is one run of the tracker from its beginning to its end, through workers that die and runs that are killed,
    as long as its rows stay the same.
    """

    def __init__(self, tracker: Tracker, folder: Path) -> None:
        self._tracker, self._folder = tracker, folder
        self._runs: dict[str, tuple[TrackedCell, str]] = {}
        self._last: dict[tuple[str, str], int] = {}

    def end_dead(self) -> None:
        """Mark the runs of processes on this machine that were killed."""
        for path in sorted(self._folder.glob("*.json")):
            left = _read(path)
            if left and left.owner and _dead(left.owner):
                self._tracker.end_dead(left.run)
                write_json(path, left.model_copy(update={"owner": None}).model_dump())

    def begin(self, cell: TrackedCell) -> None:
        """Begin the run of a cell; where a worker has died it goes on."""
        if cell.id in self._runs:
            return
        path = self._path(cell.id)
        left = _read(path)
        before = left.run if left and left.decided == cell.decided else None
        if left and left.owner and not before:
            self._tracker.end_dead(left.run)
        run = self._tracker.begin(cell, before)
        if before:
            self._last |= {(cell.id, name): step for name, step in self._tracker.last_steps(run).items()}
        self._runs[cell.id] = cell, run
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(path, _Open(run=run, decided=cell.decided, owner=str(me())).model_dump())

    def log(self, cell: str, series: str, entry: Mapping[str, float]) -> None:
        """Add an entry of a training's log to a cell's run, unless its run holds the numbers already."""
        step = int(entry["step"])
        named = {f"{series}/{name}": value for name, value in entry.items() if name != "step"}
        fresh = {name: value for name, value in named.items() if step > self._last.get((cell, name), -1)}
        if fresh:
            self._last |= {(cell, name): step for name in fresh}
            self._tracker.log(self._runs[cell][1], step, fresh)

    def end(self, name: str, failed: bool) -> None:
        """End a cell's run with what it has left on disk; of one that was made elsewhere there is none."""
        if name not in self._runs:
            return
        cell, run = self._runs[name]
        result = result_of(cell, failed)
        for entry in result.log:  # of a training that a killed run has brought to its end
            self.log(name, TRAIN, entry)
        self._tracker.end(run, result)
        self._path(name).unlink(missing_ok=True)
        del self._runs[name]

    def close(self) -> None:
        """End the runs of cells that have not ended as interrupted; the next run of the grid takes them up."""
        for cell, run in self._runs.values():
            self._tracker.end(run, Result(Status.INTERRUPTED))
            write_json(self._path(cell.id), _Open(run=run, decided=cell.decided, owner=None).model_dump())
        self._runs.clear()

    def _path(self, cell: str) -> Path:
        return self._folder / f"{cell}.json"


def _dead(owner: str) -> bool:
    with suppress(ValueError):
        return Owner.of(owner).life is Life.DEAD
    return False


def _read(path: Path) -> _Open | None:
    """A run that has not ended; None where there is none. Of a damaged file nothing can be taken up."""
    try:
        return _Open.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
