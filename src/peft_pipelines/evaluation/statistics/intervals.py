"""Intervals of a score over test items, and its spread over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

from peft_pipelines.evaluation.statistics.resampling import Resamples

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A number and its interval, in the metric's own units.

    ``n`` counts the items and ``units`` what was drawn: items, or groups of them. ``error`` is the standard error: the
    resamples' standard deviation, sqrt(p (1 - p) / n) where ``method`` is "exact", and over items and training seeds
    together where it is "seeds_and_items".
    """

    value: float
    low: float
    high: float
    error: float
    n: int
    units: int
    method: Literal["bootstrap", "exact", "seeds_and_items"]


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation (n - 1; None of one number) and count of the scores of several seeds."""

    mean: float
    sd: float | None
    n: int


def bootstrap(score: Resamples, *, level: float = LEVEL) -> Interval:
    """The percentile interval of a score over its resamples, widened for few units (see ``beyond``).

    It speaks of other test items for the same predictions, and holds nothing of what another training seed would give:
    see ``crossed.over_seeds``. Where all resamples give the same number it has no width, which proves nothing about a
    small test set: see ``scores.interval``.

    >>> from peft_pipelines.evaluation.statistics.items import statistic
    >>> from peft_pipelines.evaluation.statistics.resampling import resample
    >>> answers, right = ["yes"] * 60 + ["no"] * 40, [["yes"]] * 100
    >>> found = bootstrap(resample([statistic("accuracy", answers, right, [])], 100))
    >>> round(found.value, 2), round(found.low, 1), round(found.high, 1), found.method
    (0.6, 0.5, 0.7, 'bootstrap')
    """
    low, high = np.quantile(score.drawn, [(share := beyond(score.units, level)), 1 - share])
    error = float(score.drawn.std(ddof=1))
    return Interval(score.value, float(low), float(high), error, score.n, score.units, "bootstrap")


def beyond(units: int, level: float = LEVEL) -> float:
    """The share of resamples that an interval leaves out on each side.

    Resamples of few units spread too little, by sqrt((units - 1) / units), and as if their own spread were known. So
    the interval reaches as far as Student's t does (Hesterberg 2015, "What Teachers Should Know About the Bootstrap":
    the expanded percentile interval). With hundreds of units this changes nothing to speak of.

    >>> round(beyond(10), 4), round(beyond(1000), 4)
    (0.0086, 0.0248)
    """
    if units < 2:  # noqa: PLR2004
        return (1 - level) / 2
    reach = stats().t.isf((1 - level) / 2, units - 1) * np.sqrt(units / (units - 1))
    return float(stats().norm.sf(reach))


def exact(right: int, n: int, *, level: float = LEVEL) -> Interval:
    """Clopper and Pearson's interval of a share of independent items; at least as wide as its level says.

    Raises:
        ValueError: there is no item, or there are more right ones than items.

    >>> found = exact(0, 10)
    >>> found.low, round(found.high, 4)
    (0.0, 0.3085)
    """
    if not 0 <= right <= n or n == 0:
        raise ValueError(f"{right} right answers of {n} items are no share")
    found = stats().binomtest(right, n).proportion_ci(level, method="exact")
    share = right / n
    error = float(np.sqrt(share * (1 - share) / n))
    return Interval(share, float(found.low), float(found.high), error, n, n, "exact")


def spread(scores: Sequence[float]) -> Spread:
    """Mean, standard deviation and count of the scores of several seeds.

    >>> spread([0.5, 0.75])
    Spread(mean=0.625, sd=0.1767766952966369, n=2)
    """
    if not scores:
        raise ValueError("no scores: nothing to average")
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return Spread(float(np.mean(scores)), sd, len(scores))


def stats() -> Any:
    """scipy.stats: a second of import, which most commands need not spend."""
    return import_module("scipy.stats")
