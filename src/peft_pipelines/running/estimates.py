"""Time and disk that cells would take, estimated from what cells like them took; without any, none."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import add
from typing import Any, Final, NamedTuple

from kedro.io import DataCatalog

from peft_pipelines.config import LrSearchSpec, parse
from peft_pipelines.files import names
from peft_pipelines.running.kept_weights import method_of
from peft_pipelines.running.plans import Plan
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
    """Wall seconds that a cell would take, the bytes of its checkpoint, none where its row does not keep the weights,
    and the key of ``LIKE`` that says of which cells these are."""

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
        self._trials = len(parse(LrSearchSpec, search, catalog.load(search)).factors) if search in catalog else 1
        self._trains: dict[str, bool] = {}
        self._kept: dict[str, bool] = {}
        self._alike: dict[str, dict[Names, _Sum]] = {like: defaultdict(_Sum) for like in LIKE}
        for tag, numbers in recorded.items():
            self.add(tag, numbers)

    def add(self, tag: str, numbers: Any) -> None:
        """Take in what a cell, given by its tag, has on record; what says nothing of time and disk is left out."""
        with suppress(TypeError, KeyError, ValueError):  # no numbers, or others
            training = numbers["lr_search_seconds"] / max(1, numbers["lr_trials"])
            spent = Spent(training, float(numbers["generate_seconds"]), float(numbers["checkpoint_bytes"]))
            for like, common in LIKE.items():
                self._alike[like][common(self._names(Unit(tag, ())))].add(spent)

    def of(self, cell: Plan) -> Estimate | None:
        """Return the mean of the most alike cells, for the steps that would run; None where no cell is like it."""
        for like, common in LIKE.items():
            alike = self._alike[like].get(common(self._names(cell.unit)))
            if alike:
                found = alike.mean
                seconds = found.training * self._trials if "train" in cell.steps else 0.0
                seconds += found.answering if "generate" in cell.steps else 0.0
                return Estimate(seconds, found.bytes if "train" in cell.steps and self._keeps(cell.unit) else 0.0, like)
        return None

    def _keeps(self, unit: Unit) -> bool:
        method = unit.names[0]
        if method not in self._kept:
            row = method_of(unit, self._catalog)
            self._kept[method] = row is None or row.keep_weights
        return self._kept[method]

    def _names(self, unit: Unit) -> Names:
        method = unit.names[0]
        if method not in self._trains:  # of a large grid it is asked very often
            name = names.parameter("methods", method)
            row = self._catalog.load(name) if name in self._catalog else {}
            # a row that no node of the run takes as a spec is as it was written
            self._trains[method] = row.get("trains", True) if isinstance(row, Mapping) else row.trains
        return (*unit.names, "trains" if self._trains[method] else "")


class _Sum:
    """A sum of what cells took, and its mean."""

    def __init__(self) -> None:
        self._count, self._sum = 0, Spent(0.0, 0.0, 0.0)

    def add(self, one: Spent) -> None:
        self._count += 1
        self._sum = Spent(*map(add, self._sum, one))

    @property
    def mean(self) -> Spent:
        return Spent(*(total / self._count for total in self._sum))


def side_by_side(seconds: Sequence[float], workers: int) -> float:
    """Return the seconds until the last of some cells is made; each goes whole to the first worker that is free.

    >>> side_by_side([5.0, 4.0, 3.0], 2), side_by_side([5.0, 4.0, 3.0], 9)
    (7.0, 5.0)
    """
    free = [0.0] * workers
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)
