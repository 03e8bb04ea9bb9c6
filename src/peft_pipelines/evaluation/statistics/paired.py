"""Tests of the difference between two methods on one task, from their answers to the same items."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, TypeVar

import numpy as np

from peft_pipelines.evaluation.statistics.intervals import beyond, stats
from peft_pipelines.evaluation.statistics.resampling import Resamples

POWER = 0.8
ALPHA = 0.05
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Comparison:
    """First minus second, in the metric's own units, with its interval, its two-sided p-value and standard error.

    ``detectable`` is the smallest true difference that such a test finds in 80 of 100 cases at the level .05. ``n``
    counts the items, ``units`` what was drawn (items, or groups of them). ``test`` says where p comes from: McNemar's
    test, the share of resamples beyond 0, or, where there are none, Student's t (see ``compare``).
    """

    difference: float
    low: float
    high: float
    p: float
    error: float
    detectable: float
    n: int
    units: int
    test: Literal["bootstrap", "bootstrap_t", "mcnemar"]


@dataclass(frozen=True)
class McNemar:
    """Counts of the items that only the first and only the second method got right, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def compare(first: Resamples, second: Resamples) -> Comparison:
    """The paired bootstrap of the difference between two methods: both were scored on the same resamples.

    The p-value is twice the smaller share of resamples on one side of 0, ties counted on both, read by Student's t as
    the interval is (see ``intervals.beyond``); it is below .05 where the interval leaves 0 out, but for rounding. Where
    no resample lies on the other side, that share says how many were drawn, not how far 0 is away, and is too much for
    Holm over thousands of pairs. There the tail of Student's t stands for the resamples that would be needed, if it
    is smaller: of the difference in units of its error, with one degree of freedom less than there are units, so that
    few items do not look like certainty.

    Raises:
        ValueError: the scores are of other items, groups or draws.

    >>> from peft_pipelines.evaluation.statistics.items import statistic
    >>> from peft_pipelines.evaluation.statistics.resampling import resample
    >>> good, bad = (statistic("accuracy", ["a"] * k + ["b"] * (100 - k), [["a"]] * 100, []) for k in (80, 60))
    >>> found = compare(resample([good], 100), resample([bad], 100))
    >>> round(found.difference, 3), round(found.low, 2), round(found.high, 2), found.p < 0.001
    (0.2, 0.12, 0.28, True)
    """
    if first.draw != second.draw or first.n != second.n or len(first.drawn) != len(second.drawn):
        raise ValueError("the two scores were resampled differently: items, groups, seed and count must be the same")
    drawn = first.drawn - second.drawn
    difference, units = first.value - second.value, first.units
    low, high = np.quantile(drawn, [(share := beyond(units)), 1 - share])
    smaller = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p, error = _of_few(min(1.0, 2 * (1 + smaller) / (len(drawn) + 1)), units), float(drawn.std(ddof=1))
    tail = _tail(difference, error, units) if smaller == 0 else 1.0
    test: Literal["bootstrap", "bootstrap_t"] = "bootstrap_t" if tail < p else "bootstrap"
    return Comparison(difference, float(low), float(high), min(p, tail), error, detectable(error), first.n, units, test)


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


def detectable(error: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest true difference that a two-sided test of this standard error finds with this power.

    >>> round(detectable(0.01), 4)
    0.028
    """
    return (_quantile(1 - alpha / 2) + _quantile(power)) * error


def detectable_share(n: int, discordance: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest true difference of two shares that McNemar's test finds with this power (Connor 1987).

    A difference cannot exceed the share of items on which the methods disagree, so where ``discordance`` is smaller
    than any difference to be found, all disagreement is taken to be on one side.

    Args:
        n: how many items there are.
        discordance: the share of items that exactly one of the methods gets right, from 0 to 1.
        power: how often the test is to find the difference.
        alpha: how often it may find one that is not there.

    >>> round(detectable_share(1000, 0.1), 3)
    0.028
    """
    if n < 1 or not 0 <= discordance <= 1:
        raise ValueError(f"{n} items and discordance {discordance}: at least 1 item and a share are needed")
    z_alpha, z_power = _quantile(1 - alpha / 2), _quantile(power)

    def found(difference: float) -> bool:
        either = max(discordance, difference)
        return difference * sqrt(n) >= z_alpha * sqrt(either) + z_power * sqrt(max(0.0, either - difference**2))

    low, high = 0.0, 1.0
    while high - low > 1e-9:  # noqa: PLR2004
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def _quantile(share: float) -> float:
    return float(stats().norm.ppf(share))
