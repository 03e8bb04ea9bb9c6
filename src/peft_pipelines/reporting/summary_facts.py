"""What is known of one model's methods, as the sentences of the summary need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import fmean, median
from typing import Any

import pandas as pd

from peft_pipelines.config import MethodSpec
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.statistics import ALPHA
from peft_pipelines.reporting.comparisons import UNTESTED

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """One model's results and differences.

    ``tuned`` names the methods that train, ``untuned`` the base model as it is, or nothing. ``cells`` are rows of the
    results of the tuned methods, ``pairs`` rows of the differences. ``better`` holds task, better and worse method of
    each significant difference.
    """

    tuned: Sequence[str]
    untuned: str
    cells: Sequence[Record]
    pairs: Sequence[Record]
    better: frozenset[tuple[str, str, str]]

    @classmethod
    def of(cls, results: pd.DataFrame, differences: pd.DataFrame, specs: Mapping[str, MethodSpec]) -> "Facts":
        """The facts of one model's rows of the results and the differences."""
        names = [str(name) for name in results["method"].unique() if name in specs]
        tuned = [name for name in names if specs[name].trains]
        pairs = _records(differences)
        return cls(
            tuned,
            next((name for name in names if specs[name].is_base_model), ""),
            [cell for cell in _records(results) if cell["method"] in tuned],
            pairs,
            frozenset((pair["task"], pair["first"], pair["second"]) for pair in pairs if pair["p_holm"] < ALPHA),
        )

    @property
    def one_seed(self) -> bool:
        """Whether no method was trained more than once on a task."""
        return len({(cell["task"], cell["method"]) for cell in self.cells}) == len(self.cells)

    @property
    def few_seeds(self) -> bool:
        """Whether some differences hold for these checkpoints alone (see ``statistics.paired.compare``)."""
        return any(pair["about"] == "checkpoints" for pair in self.pairs)

    @property
    def noun(self) -> str:
        """What a difference is known of: some trainings of a method, or the method."""
        return "checkpoint" if self.few_seeds else "method"

    @property
    def tasks(self) -> list[str]:
        """The tasks that a tuned method has a score on, in their order."""
        scored = {cell["task"] for cell in self.cells if _known(cell["primary"])}
        return [task for task in dict.fromkeys(cell["task"] for cell in self.cells) if task in scored]

    def ahead(self, method: str, other: str) -> list[str]:
        """The tasks on which the method is significantly better than the other one."""
        return [task for task in self.tasks if (task, method, other) in self.better]

    def cut_off(self, method: str) -> list[str]:
        """The tasks on which nothing is called better than the method, since its answers were cut off."""
        found = {pair["task"] for pair in self.pairs if pair["second"] == method and pair["test"] == UNTESTED["test"]}
        return [task for task in self.tasks if task in found]

    def best(self) -> dict[str, list[str]]:
        """By task the tuned methods that are not significantly worse than the one with the best score.

        Tasks that fewer than two of them have a score on are left out.
        """
        scores = {task: self._scores(task) for task in self.tasks}
        firsts = {task: max(found, key=found.__getitem__) for task, found in scores.items() if len(found) > 1}
        return {
            task: [name for name in scores[task] if (task, first, name) not in self.better]
            for task, first in firsts.items()
        }

    def _scores(self, task: str) -> dict[str, float]:
        """The tuned methods' mean scores on a task, such that more is better."""
        found: dict[str, list[float]] = {}
        for cell in self.cells:
            if cell["task"] == task and _known(cell["primary"]):
                found.setdefault(cell["method"], []).append(quantity(cell["metric"]).sign * cell["primary"])
        return {name: fmean(values) for name, values in found.items()}

    def mean(self, method: str, cost: str) -> float | None:
        """The mean of a cost over a method's cells; None where one has none."""
        values = [cell[cost] for cell in self.cells if cell["method"] == method]
        return fmean(values) if values and all(map(_known, values)) else None

    @property
    def undecided(self) -> bool:
        """Whether two tuned methods do not differ significantly on some task."""
        return any(pair["p_holm"] >= ALPHA for pair in self._among_tuned())

    def detectable(self) -> dict[str, tuple[float, str]]:
        """By task the smallest difference that tests between tuned methods mostly find (median), also in words."""
        found: dict[tuple[str, str], list[float]] = {}
        for pair in self._among_tuned():
            found.setdefault((pair["task"], pair["metric"]), []).append(pair["detectable"])
        medians = {key: median(sizes) for key, sizes in found.items()}
        return {task: (size, quantity(metric).unit.difference(size)) for (task, metric), size in medians.items()}

    def _among_tuned(self) -> list[Record]:
        return [pair for pair in self.pairs if pair["first"] in self.tuned and pair["second"] in self.tuned]


def _records(table: pd.DataFrame) -> list[Record]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _known(value: Any) -> bool:
    """Whether a number of a frame is there.

    >>> _known(0.0), _known(float("nan")), _known(None), _known(pd.NA)
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isnan(value)
