"""Time and disk that cells would take, estimated from what cells like them took; without any, none."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Final, NamedTuple

from kedro.io import DataCatalog, DatasetError

from peft_pipelines.files import names
from peft_pipelines.running.outlook import Foreseen
from peft_pipelines.running.units import Unit

Names = tuple[str, ...]
LIKE: Final[dict[str, Callable[[Names], Names]]] = {
    "same task": lambda cell: cell[:3],
    "other tasks": lambda cell: cell[:2],
    "other models": lambda cell: cell[:1],
    "other methods": lambda cell: cell[1:2],
}
"""What a cell has in common with those that it is estimated from, the most alike first: method, model and task; method
and model; the method; the model."""
ROUGH: Final = ("other models", "other methods")
"""Where the difference may be large."""


class Spent(NamedTuple):
    """What a cell took: wall seconds of one training and of answering, and the bytes of its checkpoint."""

    training: float
    answering: float
    bytes: float


class Estimate(NamedTuple):
    """Wall seconds and bytes that a cell would take, and the key of ``LIKE`` that says of which cells these are."""

    seconds: float
    bytes: float
    like: str


class Estimates:
    """Estimates from the records of cells.

    Args:
        units: cells that may have a record.
        catalog: says where the records lie, and how many learning rates are tried now.
    """

    def __init__(self, units: Iterable[Unit], catalog: DataCatalog) -> None:
        recorded, search = _recorded(units, catalog), names.parameter("grid", "lr_search")
        self._alike = {like: _grouped(recorded, common) for like, common in LIKE.items()}
        self._trials = len(catalog.load(search).factors) if search in catalog else 1

    def of(self, cell: Foreseen) -> Estimate | None:
        """Return the mean of the most alike cells, for the steps that would run; None where no cell is like it."""
        for like, common in LIKE.items():
            found = self._alike[like].get(common(cell.unit.names))
            if found:
                seconds = found.training * self._trials if "train" in cell.steps else 0.0
                seconds += found.answering if "generate" in cell.steps else 0.0
                return Estimate(seconds, found.bytes if "train" in cell.steps else 0.0, like)
        return None


def _grouped(recorded: Mapping[Names, Spent], common: Callable[[Names], Names]) -> dict[Names, Spent]:
    """The means over cells that have the same in common, by that."""
    groups: dict[Names, list[Spent]] = defaultdict(list)
    for cell, spent in recorded.items():
        groups[common(cell)].append(spent)
    return {shared: Spent(*map(fmean, zip(*each, strict=True))) for shared, each in groups.items()}


def _recorded(units: Iterable[Unit], catalog: DataCatalog) -> dict[Names, Spent]:
    """What cells took when they were last made, by their names, of those that were."""
    found = {}
    for unit in units:
        with suppress(DatasetError, TypeError, KeyError):  # none, a damaged file, or numbers of another kind
            numbers = catalog.load(unit.last)
            training = numbers["lr_search_seconds"] / max(1, numbers["lr_trials"])
            found[unit.names] = Spent(training, float(numbers["generate_seconds"]), float(numbers["checkpoint_bytes"]))
    return found


def side_by_side(seconds: Sequence[float], workers: int) -> float:
    """Return the seconds until the last of some cells is made; each goes whole to the first worker that is free.

    >>> side_by_side([5.0, 4.0, 3.0], 2), side_by_side([5.0, 4.0, 3.0], 9)
    (7.0, 5.0)
    """
    free = [0.0] * workers
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)
