"""A metric's number as a function of the items' weights, so that a thousand resamples cost little more than one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.metric import Metric, Resampling
from peft_pipelines.evaluation.metrics.normalize import check
from peft_pipelines.evaluation.metrics.weighted.statistic import Array, Statistic, mean_of, of_places

Texts = Sequence[str]
Items = Sequence[Sequence[str]]


def statistic(
    name: str, predictions: Texts, references: Items, labels: Texts, *, questions: Sequence[str] | None = None
) -> Statistic:
    """A metric's number as a function of the items' weights.

    It is the metric itself where all weights are 1. Metrics over questions need equal weights within a question:
    resample whole questions, or larger groups. A metric of the whole split without a weighted form is called once a
    resample, on copied rows.

    Raises:
        ValueError: the metric is unknown, or its rows cannot be scored.

    >>> both = statistic("macro_f1", ["yes", "yes"], [["yes"], ["no"]], ["no", "yes"])
    >>> both(np.array([[1.0, 1.0], [2.0, 0.0]])).round(3).tolist()
    [0.333, 0.5]
    """
    metric = registry.metric(name)
    check(predictions, references, labels)
    if metric.by_item:
        return mean_of(item_values(name, predictions, references, labels))
    more = [questions or []] if metric.resampling is Resampling.QUESTIONS else []
    rows = [predictions, references, labels, *more]
    return metric.weighted(*rows) if metric.weighted else _recomputed(metric, rows)


def item_values(name: str, predictions: Texts, references: Items, labels: Texts) -> Array:
    """The values (n,) of the items in a metric that is their mean.

    Raises:
        ValueError: a value is neither 0 nor 1, and the registry calls the metric a share of items.

    >>> item_values("token_f1", ["the New York Times", "Rome"], [["New York"], ["Rome"]], []).tolist()
    [0.8, 1.0]
    """
    metric = registry.metric(name)
    rows = zip(predictions, references, strict=True)
    values = np.asarray([metric.function([text], [item], labels)[name] for text, item in rows], dtype=np.float64)
    graded = np.flatnonzero((values != 0) & (values != 1))
    if metric.resampling is Resampling.SHARE and len(graded):
        raise ValueError(
            f"metric '{name}' is a share of items, but item {graded[0]} has the value {values[graded[0]]:g}; "
            "allowed: 0, 1"
        )
    return values


def _recomputed(metric: Metric, rows: Sequence[Sequence[Any]]) -> Statistic:
    """The weighted form that every metric has: its function, called on the copied rows of each resample.

    ``rows`` are the function's arguments. A question that was drawn twice is two questions there.
    """
    predictions, references, labels, *questions = rows

    def number(places: Sequence[int], copies: Sequence[int]) -> float:
        chosen = [[column[place] for place in places] for column in (predictions, references)]
        named = [[f"{names[place]} {copy}" for place, copy in zip(places, copies, strict=True)] for names in questions]
        return float(metric.function(*chosen, labels, *named)[metric.name])

    return of_places(number)
