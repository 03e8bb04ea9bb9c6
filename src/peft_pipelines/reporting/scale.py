"""Scores of several tasks on one scale: the tasks that a mean is over, and what a reader must know of the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isclose

import pandas as pd

from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.metrics.unit import PERCENT, Unit
from peft_pipelines.files.names import MAJORITY, RANDOM

GUESSES = (MAJORITY, RANDOM)
"""The rows that no model answers for."""


@dataclass(frozen=True)
class Scale:
    """The tasks whose scores can be averaged, the unit of their mean, and 1 where higher is better, else -1."""

    tasks: tuple[str, ...]
    unit: Unit = PERCENT
    sign: int = 1

    def of(self, results: pd.DataFrame) -> pd.DataFrame:
        """The rows of these tasks."""
        return results[results["task"].isin(self.tasks)]


def metrics_of(results: pd.DataFrame) -> dict[str, Quantity]:
    """The metric that stands for each task, in the order of the tasks' first rows."""
    named = results.groupby("task", sort=False)["metric"].first()
    return {str(task): quantity(str(name)) for task, name in named.items()}


def by_model(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each model, in the order of their first rows."""
    return {str(name): rows for name, rows in results.groupby("model", sort=False)}


def several_seeds(results: pd.DataFrame) -> bool:
    """Whether some method has more than one seed on a task."""
    return bool(results.groupby(["model", "task", "method"])["seed"].nunique().max() > 1)


def best_scores(results: pd.DataFrame, metrics: Mapping[str, Quantity]) -> dict[str, float]:
    """The best mean over seeds on each task of the methods that train something. nan without any."""
    means = results[results["trainable_parameters"] > 0].groupby(["task", "method"])["primary"].mean().dropna()
    on_task = means.index.get_level_values("task")
    return {task: metric.best(list(means[on_task == task])) for task, metric in metrics.items()}


def is_best(cells: pd.DataFrame, best: float) -> bool:
    """Whether a method's cells on a task have the task's best score (see ``best_scores``)."""
    return bool((cells["trainable_parameters"] > 0).any() and isclose(cells["primary"].mean(), best, abs_tol=1e-12))


def points(results: pd.DataFrame) -> Scale:
    """The tasks with a bounded score of which more is better, in percent: what PSCP is defined for."""
    return Scale(tuple(task for task, metric in metrics_of(results).items() if metric.in_points))


def common(results: pd.DataFrame) -> Scale:
    """The tasks that a mean is over: those in points; without any all tasks, where they share unit and direction.

    Of tasks that share nothing there is no mean: the scale has no tasks then.
    """
    found = points(results)
    metrics = metrics_of(results)
    shared = {(metric.unit, metric.sign) for metric in metrics.values()}
    if found.tasks or len(shared) != 1:
        return found
    return Scale(tuple(metrics), *shared.pop())


def exceptions(results: pd.DataFrame) -> str:
    """A sentence on the tasks whose scores are not in percent, or of which less is better; empty without such tasks."""
    averaged = common(results).tasks
    texts = [
        f"{task} {metric.name} ({', '.join(_reading(metric, task in averaged))})"
        for task, metric in metrics_of(results).items()
        if not metric.in_points
    ]
    return f"Read differently: {', '.join(texts)}." if texts else ""


def _reading(metric: Quantity, averaged: bool) -> Iterable[str]:
    yield metric.unit.name
    yield "higher is better" if metric.higher_is_better else "lower is better"
    if not averaged:
        yield "not in the mean"


def arrow(metric: Quantity) -> str:
    """A sign behind the name of a metric of which less is better."""
    return "" if metric.higher_is_better else " ↓"
