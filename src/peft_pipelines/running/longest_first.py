"""The order of cells that run side by side: a model at a time, and of a model's cells the longest first.

So that the last cells are short ones, and no worker waits long for another.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from statistics import fmean
from typing import Any

from kedro.io import DataCatalog, DatasetError

from peft_pipelines.running.units import Unit

Names = tuple[str, ...]
LIKE: tuple[Callable[[Names], Names], ...] = (
    lambda names: names,
    lambda names: names[:3],
    lambda names: names[1:3],
    lambda names: names[1:2],
)
"""What cells have in common that are alike, the most alike first: all; all but the seed; model and task; the model."""


SECONDS = ("train_cpu_seconds", "generate_cpu_seconds")
"""The numbers of a cell that say how long it takes."""


def recorded_numbers(units: Iterable[Unit], catalog: DataCatalog) -> dict[str, Any]:
    """Return what cells have on record of when they were last made, by the cell's tag: numbers, a failure, or None."""
    found = {}
    for unit in units:
        with suppress(DatasetError):  # a damaged file
            found[unit.tag] = catalog.load(unit.last)
    return found


def recorded_seconds(recorded: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds that cells have taken, by the cell's tag, of those whose record has them."""
    found = {}
    for tag, numbers in recorded.items():
        with suppress(TypeError, KeyError):  # no numbers, or others
            found[tag] = float(sum(numbers[name] for name in SECONDS))
    return found


def longest_first(units: list[Unit], recorded: Mapping[str, float]) -> list[Unit]:
    """Return cells in the order in which they are begun; those of which nothing is known keep theirs.

    Args:
        units: cells in the order of the grid, a model at a time.
        recorded: the seconds that cells have taken, by the cell's tag.
    """
    known = [_means(recorded, like) for like in LIKE]
    models = list(dict.fromkeys(unit.names[1] for unit in units))
    return sorted(units, key=lambda unit: (models.index(unit.names[1]), -_expected(unit.names, known)))


def _means(recorded: Mapping[str, float], like: Callable[[Names], Names]) -> dict[Names, float]:
    groups: dict[Names, list[float]] = defaultdict(list)
    for tag, seconds in recorded.items():
        groups[like(tuple(tag.split(".")[1:]))].append(seconds)
    return {group: fmean(each) for group, each in groups.items()}


def _expected(names: Names, known: list[dict[Names, float]]) -> float:
    """The seconds of the most alike cells; without any, none."""
    return next((means[like(names)] for like, means in zip(LIKE, known, strict=True) if like(names) in means), 0.0)
