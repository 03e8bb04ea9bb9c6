"""Time and disk that cells would take, estimated from what cells like them took; without any, none."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any, Final, NamedTuple

from kedro.io import DataCatalog

from peft_pipelines.files import names
from peft_pipelines.running.outlook import Foreseen
from peft_pipelines.running.units import Unit

Names = tuple[str, ...]
LIKE: Final[dict[str, Callable[[Names], Names]]] = {
    "same task": lambda cell: cell[:3],
    "other tasks": lambda cell: cell[:2],
    "other models": lambda cell: cell[:1],
    "other methods": lambda cell: (cell[1], cell[4]),
}
"""What a cell has in common with those that it is estimated from, the most alike first: method, model and task; method
and model; the method; the model and whether a method trains. Of a cell's names and whether it does."""
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
        recorded: what cells have on record, by the cell's tag.
        catalog: has the rows of their methods, and says how many learning rates are tried now.
    """

    def __init__(self, recorded: Mapping[str, Any], catalog: DataCatalog) -> None:
        self._catalog, search = catalog, names.parameter("grid", "lr_search")
        spent = {self._names(Unit(tag, ())): one for tag, one in _spent(recorded).items()}
        self._alike = {like: _grouped(spent, common) for like, common in LIKE.items()}
        self._trials = len(catalog.load(search).factors) if search in catalog else 1

    def of(self, cell: Foreseen) -> Estimate | None:
        """Return the mean of the most alike cells, for the steps that would run; None where no cell is like it."""
        for like, common in LIKE.items():
            found = self._alike[like].get(common(self._names(cell.unit)))
            if found:
                seconds = found.training * self._trials if "train" in cell.steps else 0.0
                seconds += found.answering if "generate" in cell.steps else 0.0
                return Estimate(seconds, found.bytes if "train" in cell.steps else 0.0, like)
        return None

    def _names(self, unit: Unit) -> Names:
        row = names.parameter("methods", unit.names[0])
        trains = row not in self._catalog or self._catalog.load(row).trains
        return (*unit.names, "trains" if trains else "")


def _grouped(recorded: Mapping[Names, Spent], common: Callable[[Names], Names]) -> dict[Names, Spent]:
    """The means over cells that have the same in common, by that."""
    groups: dict[Names, list[Spent]] = defaultdict(list)
    for cell, spent in recorded.items():
        groups[common(cell)].append(spent)
    return {shared: Spent(*map(fmean, zip(*each, strict=True))) for shared, each in groups.items()}


def _spent(recorded: Mapping[str, Any]) -> dict[str, Spent]:
    """What cells took, by the cell's tag, of those whose record says so."""
    found = {}
    for tag, numbers in recorded.items():
        with suppress(TypeError, KeyError):  # no numbers, or others
            training = numbers["lr_search_seconds"] / max(1, numbers["lr_trials"])
            found[tag] = Spent(training, float(numbers["generate_seconds"]), float(numbers["checkpoint_bytes"]))
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
