"""What a store has on record, as the board lists it: its runs, and its cells with their scores and checkpoints."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from kedro.io import DatasetError

from peft_pipelines.config import Cell
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.files import names
from peft_pipelines.running import handed_on
from peft_pipelines.storage.checkpoint import Checkpoint
from peft_pipelines.tracking.order import in_order
from peft_pipelines.tracking.runs import MANIFEST, Run
from peft_pipelines.tracking.store_places import Store

ANSWERS, DROPPED, GONE, DAMAGED = "kept", "dropped", "gone", "damaged"
STAMP: Final = "%Y-%m-%dT%H.%M.%S.%f%z"


@dataclass(frozen=True)
class RunLine:
    """A run on record.

    Attributes:
        id: its time stamp.
        began: the same for people.
        status: how it ended, or that it goes on.
        command: what was typed.
        cells: the number of cells with a score.
        problem: what is wrong with its record, else empty; then all else but the id is empty.
    """

    id: str
    began: str = ""
    status: str = ""
    command: str = ""
    cells: int = 0
    problem: str = ""


@dataclass(frozen=True)
class CellLine:
    """A cell that was made, or has failed.

    Attributes:
        cell: its names.
        metric: the name of the primary metric; empty without a score.
        score: the score with its interval, in words; of a failed cell the reason.
        done: whether there is a score.
        weights: what has become of the checkpoint's weights: kept, dropped, gone or damaged.
        run: the id of the run that scored it.
    """

    cell: Cell
    metric: str
    score: str
    done: bool
    weights: str
    run: str

    @property
    def answers(self) -> bool:
        """Whether it can be asked."""
        return self.done and self.weights == ANSWERS


def runs_of(store: Store) -> list[RunLine]:
    """Return the runs on record, the newest first; one whose record is damaged says so."""
    ids = [path.parent.name for path in store.runs.glob(f"*/{MANIFEST}")]
    return [_run_line(Run(store.runs / run_id)) for run_id in reversed(in_order(store.runs, ids))]


def _run_line(run: Run) -> RunLine:
    try:
        manifest = run.manifest
    except ConfigError as error:
        return RunLine(run.id, problem=str(error))
    scored = sum("numbers" in cell for cell in run.cells.values())
    return RunLine(run.id, began(run.id), str(manifest["status"]), str(manifest.get("command", "")), scored)


def began(run_id: str) -> str:
    """Return when a run began, for people; an id that is no time stamp stays as it is.

    >>> began("2026-01-31T12.05.00.000Z"), began("mine")
    ('2026-01-31 12:05 UTC', 'mine')
    """
    try:
        return f"{datetime.strptime(run_id, STAMP).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return run_id


def cells_of(store: Store) -> list[CellLine]:
    """Return all cells that lie in a store with a score or a failure, whichever grid they were made for."""
    found = [line for cell in _cells(store) if (line := cell_line(store, cell))]
    return sorted(found, key=lambda line: (line.cell.model, line.cell.task, line.cell.method, line.cell.seed))


def _cells(store: Store) -> list[Cell]:
    """The cells of which anything lies there."""
    tags = {place.unit.tag for place in store.places() if place.unit and place.unit.tag.startswith(names.CELL)}
    return [Cell.of(tag.removeprefix(names.CELL)) for tag in tags]


def cell_line(store: Store, cell: Cell) -> CellLine | None:
    """Return what is on record of a cell now; None where nothing is."""
    try:
        numbers = store.catalog.load(names.artifact(cell, names.METRICS))
    except DatasetError as error:
        return CellLine(cell, "", f"its numbers cannot be read: {_line(error)}", False, DAMAGED, "")
    if numbers is None:
        return None
    run = str(numbers.get("run_id", ""))
    if "primary" not in numbers:
        return CellLine(cell, "", f"{numbers.get('type')}: {numbers.get('reason')!s:.300}", False, GONE, run)
    metric = str(numbers["metric"])
    return CellLine(cell, metric, score_text(numbers), True, weights_of(store, cell, numbers), run)


def score_text(numbers: dict[str, Any]) -> str:
    """Return a primary score with its interval, in words.

    >>> score_text({"metric": "accuracy", "primary": 0.5, "primary_low": 0.25, "primary_high": 0.75})
    '50.0 % (25.0 to 75.0)'
    """
    unit = quantity(numbers["metric"]).unit
    between = (numbers.get("primary_low"), numbers.get("primary_high"))
    known = [unit.text(end) for end in between if end is not None]
    return unit.with_symbol(numbers["primary"]) + (f" ({' to '.join(known)})" if len(known) > 1 else "")


def weights_of(store: Store, cell: Cell, numbers: dict[str, Any]) -> str:
    """Return what has become of the weights of the checkpoint that a cell's numbers are of."""
    try:
        checkpoint = checkpoint_of_numbers(store, cell, numbers)
    except ConfigError:
        return DAMAGED
    if checkpoint is None:
        return GONE
    return DROPPED if checkpoint.dropped else ANSWERS


def checkpoint_of_numbers(store: Store, cell: Cell, numbers: dict[str, Any]) -> Checkpoint | None:
    """Return the checkpoint that a cell's numbers are of; None where it is gone.

    Raises:
        ConfigError: it cannot be read.
    """
    name = names.artifact(cell, names.CHECKPOINT)
    handed_on.hand_on(store.catalog, {name: str(numbers["checkpoint"])})
    try:
        found: Checkpoint | None = store.catalog.load(name)
    except DatasetError as error:
        raise ConfigError(f"cell '{cell.id}': its checkpoint cannot be read: {_line(error)}") from None
    return found


def cell_named(store: Store, cell_id: str) -> Cell:
    """Return a cell of a store by ``METHOD.MODEL.TASK.SEED``.

    Raises:
        ConfigError: it is no such name, or nothing is on record of it.
    """
    known = {cell.id: cell for cell in _cells(store)}
    if cell_id not in known:
        raise unknown("cell", "cell", cell_id, known)
    return known[cell_id]


def inside(folder: Path, path: Path) -> bool:
    """Return whether a path leads to a file in a folder, links followed."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.300}"


def by_model(lines: Iterable[CellLine]) -> dict[str, list[CellLine]]:
    """Return cells by their base models."""
    found: dict[str, list[CellLine]] = {}
    for line in lines:
        found.setdefault(line.cell.model, []).append(line)
    return found
