"""Correlation and error of answers that are numbers, as statistics of weighted items: see ``metrics.regression``."""

from collections.abc import Callable, Sequence

import numpy as np

from peft_pipelines.evaluation.metrics.normalize import check
from peft_pipelines.evaluation.metrics.regression import plain_number
from peft_pipelines.evaluation.metrics.weighted.statistic import Array, Statistic, Sums

# What is left of a variance of equal numbers, in parts of their squares.
ROUNDING = 1e-12


def pearson(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> Statistic:
    """Pearson's correlation of the valid answers, times their share."""
    return _correlation(predictions, references, lambda values, weights: values - values.mean())


def spearman(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> Statistic:
    """Spearman's correlation of the valid answers, times their share; each resample has its own ranks."""
    return _correlation(predictions, references, ranks)


def rmse(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> Statistic:
    """Root mean squared error; what an invalid answer costs is decided by the range of all items, not of a resample."""
    gold, answers = _numbers(predictions, references)
    invalid = np.maximum(gold - gold.min(), gold.max() - gold)
    errors = np.where(np.isnan(answers), invalid, answers - gold)
    items = np.column_stack([errors**2, np.ones(len(gold))])
    return Sums(items, lambda sums: np.sqrt(sums[:, 0] / sums[:, 1]))


def ranks(values: Array, weights: Array) -> Array:
    """The rank of each value among values that stand there as often as their weights say; ties share their mean rank.

    >>> ranks(np.array([10.0, 30.0, 20.0]), np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).tolist()
    [[1.0, 3.0, 2.0], [1.5, 3.0, 2.5]]
    """
    order = np.argsort(values, kind="stable")
    distinct, place = np.unique(values, return_inverse=True)
    last = np.searchsorted(values[order], distinct, side="right") - 1
    upto = np.cumsum(weights[:, order], axis=1)[:, last]
    before = np.concatenate([np.zeros((len(weights), 1)), upto[:, :-1]], axis=1)
    return np.asarray(((before + upto + 1) / 2)[:, place])


def _correlation(
    predictions: Sequence[str], references: Sequence[Sequence[str]], scale: Callable[[Array, Array], Array]
) -> Statistic:
    gold, answers = _numbers(predictions, references)
    valid = ~np.isnan(answers)
    sides = gold[valid], answers[valid]

    def statistic(weights: Array) -> Array:
        inside = weights[:, valid]
        n: Array = inside.sum(axis=1)
        if not valid.any():
            return n
        x, y = (scale(side, inside) for side in sides)
        return np.asarray(_weighted(x, y, inside, n) * n / weights.sum(axis=1))

    return statistic


def _weighted(x: Array, y: Array, weights: Array, n: Array) -> Array:
    """Pearson's correlation in each row of weights; 0 where a side is constant."""
    n = np.maximum(n, 1)
    sx, sy, sxx, syy, sxy = ((weights * part).sum(axis=1) for part in (x, y, x * x, y * y, x * y))
    vx, vy = sxx - sx * sx / n, syy - sy * sy / n
    defined = (vx > ROUNDING * sxx) & (vy > ROUNDING * syy)
    product = np.sqrt(np.where(defined, vx * vy, 1.0))
    return np.where(defined, (sxy - sx * sy / n) / product, 0.0)


def _numbers(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Array, Array]:
    """The right numbers, and the answers, nan where one is no number."""
    check(predictions, references, [])
    gold = [plain_number(item[0]) for item in references]
    if None in gold:
        raise ValueError(f"item {gold.index(None)}: a right answer that is a number is needed")
    answers = [plain_number(text) for text in predictions]
    return np.array(gold, dtype=np.float64), np.array(answers, dtype=np.float64)
