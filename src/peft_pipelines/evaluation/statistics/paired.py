"""Tests of the difference between two methods on one task, from their answers to the same items."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal, TypeVar

import numpy as np

from peft_pipelines.evaluation.statistics.crossed import FEWEST_SEEDS, Error, error_of
from peft_pipelines.evaluation.statistics.intervals import beyond, stats
from peft_pipelines.evaluation.statistics.power import detectable
from peft_pipelines.evaluation.statistics.resampling import Resamples

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Comparison:
    """First minus second, in the metric's own units, with its interval, its two-sided p-value and standard error.

    ``about`` says what the test generalises to: "checkpoints" are these trained weights on other items, "methods" other
    trainings as well. ``detectable`` is the smallest true difference that such a test finds in 80 of 100 cases at the
    level .05. ``n`` counts the items, ``units`` what was drawn (items, or groups of them), ``seeds`` the training seeds
    of the method that has fewer. ``test`` says where p comes from: McNemar's test, the share of resamples beyond 0, or,
    where there are none, Student's t, or the error over seeds and items together (see ``compare``).
    """

    difference: float
    low: float
    high: float
    p: float
    error: float
    detectable: float
    n: int
    units: int
    seeds: int
    about: Literal["checkpoints", "methods"]
    test: Literal["bootstrap", "bootstrap_t", "mcnemar", "seeds_and_items"]


@dataclass(frozen=True)
class McNemar:
    """Counts of the items that only the first and only the second method got right, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def compare(first: Resamples, second: Resamples) -> Comparison:
    """The difference between two methods that were scored on the same resamples.

    With ``FEWEST_SEEDS`` of either it is tested by its error over seeds and items together (see ``crossed.py``), and
    holds for other trainings of the methods and other items. With fewer it is the paired bootstrap of the items, and
    holds for these checkpoints.

    The bootstrap's p-value is twice the smaller share of resamples on one side of 0, ties counted on both, read by
    Student's t as the interval is (see ``intervals.beyond``); it is below .05 where the interval leaves 0 out, but for
    rounding. Where no resample lies on the other side, that share says how many were drawn, not how far 0 is away, and
    is too much for Holm over thousands of pairs. There the tail of Student's t stands for the resamples that would be
    needed, if it is smaller: of the difference in units of its error, with one degree of freedom less than there are
    units, so that few items do not look like certainty.

    Raises:
        ValueError: the scores are of other items, groups or draws.

    >>> from peft_pipelines.evaluation.statistics.items import statistic
    >>> from peft_pipelines.evaluation.statistics.resampling import resample
    >>> good, bad = (statistic("accuracy", ["a"] * k + ["b"] * (100 - k), [["a"]] * 100, []) for k in (80, 60))
    >>> found = compare(resample([good], 100), resample([bad], 100))
    >>> round(found.difference, 3), round(found.low, 2), round(found.high, 2), found.p < 0.001, found.about
    (0.2, 0.12, 0.28, True, 'checkpoints')
    """
    if first.draw != second.draw or first.n != second.n or len(first.drawn) != len(second.drawn):
        raise ValueError("the two scores were resampled differently: items, groups, seed and count must be the same")
    drawn = first.drawn - second.drawn
    over_items = replace(first, value=first.value - second.value, drawn=drawn)
    seeds = min(len(first.seeds), len(second.seeds))
    found = _of_items(over_items, seeds)
    if seeds < FEWEST_SEEDS:
        return found
    error = error_of(over_items.error, first.units, first.seeds, second.seeds)
    return _of_seeds(found, error) if error.value else replace(found, about="methods")


def _of_seeds(found: Comparison, error: Error) -> Comparison:
    reach, difference = error.reach(), found.difference
    needed = detectable(error.value, freedom=error.freedom)
    return replace(
        found,
        low=difference - reach,
        high=difference + reach,
        p=error.p(difference),
        error=error.value,
        detectable=needed,
        about="methods",
        test="seeds_and_items",
    )


def _of_items(score: Resamples, seeds: int) -> Comparison:
    """The bootstrap of a difference."""
    drawn, difference, units = score.drawn, score.value, score.units
    low, high = np.quantile(drawn, [(share := beyond(units)), 1 - share])
    smaller = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p, error = _of_few(min(1.0, 2 * (1 + smaller) / (len(drawn) + 1)), units), float(drawn.std(ddof=1))
    tail = _tail(difference, error, units) if smaller == 0 else 1.0
    return Comparison(
        difference,
        float(low),
        float(high),
        min(p, tail),
        error,
        detectable(error),
        score.n,
        units,
        seeds=seeds,
        about="checkpoints",
        test="bootstrap_t" if tail < p else "bootstrap",
    )


def _of_few(p: float, units: int) -> float:
    """The two-sided p-value that so many units allow to say: the one whose interval (see ``beyond``) ends at 0."""
    if units < 2:  # noqa: PLR2004
        return 1.0
    distance = stats().norm.isf(p / 2) * sqrt((units - 1) / units)
    return float(2 * stats().t.sf(distance, units - 1))


def _tail(difference: float, error: float, units: int) -> float:
    """The two-sided p-value of Student's t; 1 where resamples that are all alike say nothing of an error."""
    if error == 0 or units < 2:  # noqa: PLR2004
        return 1.0
    distance = abs(difference) / error * sqrt((units - 1) / units)
    return float(2 * stats().t.sf(distance, units - 1))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """McNemar's exact test of independent items that are right or wrong, one seed of each method.

    >>> mcnemar([True] * 8 + [False] * 2, [False] * 8 + [True, False])
    McNemar(only_first=8, only_second=1, p=0.0390625)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} items do not fit {len(second)}: both must answer the same ones")
    b = sum(bool(a) and not c for a, c in zip(first, second, strict=True))
    c = sum(bool(d) and not a for a, d in zip(first, second, strict=True))
    return McNemar(b, c, float(stats().binomtest(min(b, c), b + c).pvalue) if b + c else 1.0)


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """Holm's adjusted p-values of a family of comparisons: at most alpha where the family's error rate is alpha.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    adjusted, largest = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}
