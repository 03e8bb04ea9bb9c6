"""Drawing test items again, with replacement, as weights: how often each item stands in each resample."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

import numpy as np

from peft_pipelines.evaluation.metrics.weighted.statistic import Array, Statistic

K = TypeVar("K", bound=Hashable)

# A table of weights has at most so many cells, so that 40,000 items need no more memory than 4,000.
CELLS = 4_000_000

# A p-value of resamples is no smaller than 2 / (count + 1): this allows Holm over two hundred comparisons.
RESAMPLES = 10_000


@dataclass(frozen=True)
class Resamples:
    """A score, and what it is in each resample. Those of two methods with equal ``draw`` are pairs.

    ``value`` and ``drawn`` are means over training seeds, ``seeds`` the score of each seed on the items as they are.
    ``n`` counts the items, ``units`` what was drawn: items, or groups of them. ``draw`` says what decided the draws.
    """

    value: float
    drawn: Array
    n: int
    units: int
    draw: tuple[object, ...]
    seeds: tuple[float, ...]

    @property
    def error(self) -> float:
        """The standard error over items: the resamples' deviation, which few units make too small, corrected for it."""
        spread = float(self.drawn.std(ddof=1))
        return spread * sqrt(self.units / (self.units - 1)) if self.units > 1 else spread


def resample(
    seeds: Sequence[Statistic],
    n: int,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Resamples:
    """A score of the items as they are, and of ``resamples`` samples drawn from them with replacement.

    What several training seeds answered to an item stays together: each resample draws items once and averages the
    scores of all seeds on them. More seeds make the mean steadier, not the test set larger. What other seeds would give
    is not drawn: three are too few to draw from (see ``crossed.py``).

    Args:
        seeds: a statistic a training seed, all of the same items.
        n: how many items there are.
        groups: the group of each item. Whole groups are drawn then, as many as there are, because items of one group
            (a passage, a question) are right or wrong together and carry less information than as many single items.
        seed: decides all draws; equal arguments give equal numbers.
        resamples: how many samples are drawn.

    Raises:
        ValueError: there is no seed, no item, or not a group for each item.

    >>> found = resample([lambda weights: weights @ [0.0, 1.0] / 2], 2, resamples=4)
    >>> found.value, found.drawn.tolist()
    (0.5, [1.0, 0.5, 0.0, 0.0])
    """
    return resample_all({None: seeds}, n, groups=groups, seed=seed, resamples=resamples)[None]


def resample_all(
    scores: Mapping[K, Sequence[Statistic]],
    n: int,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[K, Resamples]:
    """``resample`` of several scores of the same items, drawn once for all of them: the numbers are the same.

    >>> first, second = [lambda weights: weights[:, 0]], [lambda weights: weights[:, 1]]
    >>> found = resample_all({"a": first, "b": second}, 2, resamples=3)
    >>> [(name, score.drawn.tolist()) for name, score in found.items()]
    [('a', [0.0, 1.0, 2.0]), ('b', [2.0, 1.0, 0.0])]
    """
    if not all(scores.values()):
        raise ValueError("no seeds: nothing to score")
    parts: dict[K, list[Array]] = {name: [] for name in scores}
    for weights in draws(n, groups, seed, resamples):
        for name, seeds in scores.items():
            parts[name].append(_mean(seeds, weights))
    units, names = (n, None) if groups is None else (len(set(groups)), tuple(groups))
    found = {}
    for name, seeds in scores.items():
        single = tuple(float(statistic(np.ones((1, n)))[0]) for statistic in seeds)
        drawn = np.concatenate(parts[name])
        found[name] = Resamples(float(np.mean(single)), drawn, n, units, (seed, names), single)
    return found


def _mean(seeds: Sequence[Statistic], weights: Array) -> Array:
    return np.asarray(np.mean([statistic(weights) for statistic in seeds], axis=0))


def draws(n: int, groups: Sequence[str] | None, seed: int, resamples: int) -> Iterator[Array]:
    """The weights of all resamples, in parts of at most ``CELLS`` cells."""
    if n == 0:
        raise ValueError("no items: nothing to draw from")
    if groups is not None and len(groups) != n:
        raise ValueError(f"{len(groups)} names of groups do not fit {n} items")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(groups))} if groups is not None else {}
    place = np.array([numbers[name] for name in groups]) if groups is not None else np.arange(n)
    units, generator = int(place.max()) + 1, np.random.default_rng(seed)
    rows = max(1, CELLS // max(n, units))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
        yield counts[:, place].astype(np.float64)
