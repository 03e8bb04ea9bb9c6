"""Standard errors over other training seeds and other test items at once, and the intervals that they give.

All seeds of a method answer the same items, as all readers of a reading study see the same cases; the seeds of one
method are no seeds of another. This is the design "reader nested within test" of Hillis 2014 ("A marginal-mean ANOVA
approach for analyzing multireader multicase radiological imaging data", Statistics in Medicine 33, 330-360), which
continues Obuchowski and Rockette 1995. A mean over seeds has the error

    error² = variance over items + variance between the seeds' scores / number of seeds,

the first by resampling items with all seeds kept, the second from the seeds' scores. What a seed does on one item alone
is in either term, so the sum errs on the side of no difference, as the bootstrap of both at once does (Owen 2007, "The
pigeonhole bootstrap", Annals of Applied Statistics 1, 386-411). Resampling seeds would not do: three of them drawn with
replacement show two thirds of their variance, and none of the doubt about it. That doubt is in the degrees of freedom
(Satterthwaite 1946; for two means Welch 1947).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from peft_pipelines.evaluation.metrics.unit import Unit
from peft_pipelines.evaluation.statistics.intervals import LEVEL, Interval, stats
from peft_pipelines.evaluation.statistics.resampling import Resamples

FEWEST_SEEDS = 3
"""So many seeds a method are needed to speak of methods: of two, the pair that is alike by chance passes for exact."""
DECIMALS = 12
"""What differs by less is equal but for rounding."""


@dataclass(frozen=True)
class Error:
    """A standard error and its degrees of freedom."""

    value: float
    freedom: float

    def reach(self, level: float = LEVEL) -> float:
        """How far a two-sided interval of this level reaches to each side."""
        return float(stats().t.isf((1 - level) / 2, self.freedom)) * self.value

    def p(self, difference: float) -> float:
        """The two-sided p-value of a difference; 1 where nothing is known of its error."""
        return float(2 * stats().t.sf(abs(difference) / self.value, self.freedom)) if self.value else 1.0


def error_of(items: float, units: int, *seeds: Sequence[float]) -> Error:
    """The standard error of a mean over seeds, or of the difference of two such means.

    Args:
        items: the standard error over items alone.
        units: how many items, or groups of them, are independent.
        seeds: the scores of each method's seeds, at least two; seeds of two methods are independent of each other.

    >>> found = error_of(0.0, 100, (0.4, 0.5, 0.6), (0.6, 0.7, 0.8))
    >>> round(found.value, 4), round(found.freedom, 4)
    (0.0816, 4.0)
    """
    parts = [(items**2, max(1, units - 1))]
    parts += [(_variance(scores) / len(scores), len(scores) - 1) for scores in seeds]
    variance = sum(part for part, _ in parts)
    doubt = sum(part**2 / freedom for part, freedom in parts)
    return Error(sqrt(variance), variance**2 / doubt if doubt else inf)


def _variance(scores: Sequence[float]) -> float:
    """The variance of scores, of equal ones exactly 0."""
    return float(np.var(np.round(scores, DECIMALS), ddof=1))


def over_seeds(score: Resamples, unit: Unit, *, share: bool, level: float = LEVEL) -> Interval:
    """The interval of a mean over seeds: where another set of seeds would lie on other test items.

    Args:
        score: of two seeds or more.
        unit: of the metric, whose range the interval does not leave.
        share: whether each item is right or wrong, so that seeds that agree do not count as more items.
        level: how often such intervals are to hold the truth.

    >>> from peft_pipelines.evaluation.metrics.unit import PERCENT
    >>> score = Resamples(0.0, np.zeros(100), 4, 4, (), (0.0,) * 12)
    >>> found = over_seeds(score, PERCENT, share=True)
    >>> found.low, round(found.high, 3)
    (0.0, 0.602)
    """
    error = error_of(score.error, score.units, score.seeds)
    low, high = ends(score, unit, error.reach(level), share=share, level=level)
    return Interval(score.value, low, high, error.value, score.n, score.units, "seeds_and_items")


def ends(score: Resamples, unit: Unit, reach: float, *, share: bool, level: float = LEVEL) -> tuple[float, float]:
    """The ends of an interval that would reach as far to both sides; arguments as for ``over_seeds``.

    >>> from peft_pipelines.evaluation.metrics.unit import CORRELATION
    >>> ends(Resamples(0.75, np.zeros(2), 4, 4, (), ()), CORRELATION, 0.5, share=False)
    (0.25, 1.0)
    """
    if (unit.low, unit.high) == (0, 1):
        most = score.n if share and reach else inf if reach else score.units
        return ends_of_share(score.value, reach, most, level)
    low, high = (-inf if unit.low is None else unit.low, inf if unit.high is None else unit.high)
    return max(low, score.value - reach), min(high, score.value + reach)


def ends_of_share(value: float, reach: float, most: float, level: float) -> tuple[float, float]:
    """The ends of an interval of a number from 0 to 1 whose standard error is known, never beyond 0 and 1.

    It is Clopper and Pearson's of as many independent items as would give that error (Korn and Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 24, 193-201): a number near 0 has a short and a long side, and at 0 a width.

    Args:
        value: the number.
        reach: how far a symmetric interval of this level reaches.
        most: how many items it may count as.
        level: how often such intervals are to hold the truth.

    >>> [round(end, 3) for end in ends_of_share(0.0, 0.0, 4, 0.95)]
    [0.0, 0.602]
    """
    tail, law = (1 - level) / 2, stats()
    n = min(most, value * (1 - value) * (law.norm.isf(tail) / reach) ** 2) if reach and 0 < value < 1 else most
    right, wrong = value * n, (1 - value) * n
    low = law.beta.ppf(tail, right, wrong + 1) if right else 0.0
    high = law.beta.ppf(1 - tail, right + 1, wrong) if wrong else 1.0
    return float(low), float(high)
