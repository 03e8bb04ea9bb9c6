"""How often the report names a difference: between methods that are the same, and between methods that differ.

Right and wrong answers are drawn at random: each test example has a difficulty, each method a true accuracy, each of
its seeds one that lies around this. The project's own code resamples, compares and adjusts. A table has five methods on
one task, that is ten pairs. Where a difference is asked for, the first method is that much better, and the other four
are the same.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import norm

from peft_pipelines.evaluation.metrics.registry import metric
from peft_pipelines.evaluation.statistics import ALPHA, Comparison, Interval, Score, comparison, holm, interval
from peft_pipelines.evaluation.statistics.resampling import resample_all

METHODS, ACCURACY, DIFFICULTY, BATCH = 5, 0.85, 0.4, 100
SEEDS, SPREADS, DIFFERENCES = (1, 3, 5), (0.0, 0.01, 0.02), (0.0, 0.03, 0.05)
HEADS = (
    *("difference", "spread", "seeds", "about", "like pairs p < .05", "tables that name a like pair"),
    *("better one found", "found after Holm", "right sign", "intervals with the truth"),
)
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Setting:
    """Seeds of each method, the deviation of their true accuracy, and by how much the first method is better."""

    seeds: int
    spread: float
    difference: float = 0.0

    def accuracy(self, method: int) -> float:
        """A method's true accuracy: of another seed on another item."""
        return ACCURACY + (self.difference if method == 0 else 0.0)


@dataclass(frozen=True)
class Table:
    """Comparisons and adjusted p-values by pair of methods, intervals by method, and true accuracies by seed."""

    pairs: Mapping[tuple[int, int], Comparison]
    adjusted: Mapping[tuple[int, int], float]
    intervals: Sequence[Interval]
    truth: Array

    @property
    def named(self) -> list[tuple[int, int]]:
        """The pairs that the table calls different."""
        return [pair for pair, p in self.adjusted.items() if p < ALPHA]


def drawn(setting: Setting, methods: int, items: int, chance: np.random.Generator) -> tuple[Array, Array]:
    """Which answers are right, as 0 and 1 (methods, seeds, items), and the seeds' true accuracies (methods, seeds)."""
    centre = np.array([setting.accuracy(method) for method in range(methods)])[:, None]
    truth = np.clip(centre + setting.spread * chance.normal(size=(methods, setting.seeds)), 0.001, 0.999)
    hard = np.sqrt(DIFFICULTY) * chance.normal(size=items)
    luck = np.sqrt(1 - DIFFICULTY) * chance.normal(size=(methods, setting.seeds, items))
    return (hard + luck < norm.ppf(truth)[:, :, None]).astype(np.float64), truth


class Shares:
    """The shares of right answers of many answerers (k, items) in samples of the items: all in one product."""

    def __init__(self, right: Array) -> None:
        self.right, self.weights, self.found = right, np.empty(0), np.empty(0)

    def of(self, number: int, weights: Array) -> Array:
        """Those of one answerer, of weights (samples, items)."""
        if weights is not self.weights:
            self.weights, self.found = weights, (weights @ self.right.T).T / self.right.shape[1]
        return np.ascontiguousarray(self.found[number])


def scores(right: Array, resamples: int) -> list[list[Score]]:
    """The scores of right answers (tables, methods, seeds, items), by table and method."""
    tables, methods, seeds, items = right.shape
    shares = Shares(right.reshape(-1, items))
    numbers = np.arange(len(shares.right)).reshape(tables * methods, seeds)
    statistics = {place: [partial(shares.of, number) for number in row] for place, row in enumerate(numbers)}
    found = resample_all(statistics, items, resamples=resamples)
    single = [tuple(row == 1) if seeds == 1 else None for row in right[:, :, 0].reshape(-1, items)]
    flat = [Score(metric("accuracy"), found[place], single[place]) for place in range(tables * methods)]
    return [flat[start : start + methods] for start in range(0, len(flat), methods)]


def tables(
    setting: Setting, count: int, *, methods: int = METHODS, items: int = 872, resamples: int = 10_000, seed: int = 0
) -> Iterator[Table]:
    """The tables of a setting; those of a batch share the draws of items, as all tasks of one size do."""
    chance = np.random.default_rng(seed)
    for start in range(0, count, BATCH):
        made = [drawn(setting, methods, items, chance) for _ in range(min(BATCH, count - start))]
        for own, (_, truth) in zip(scores(np.stack([right for right, _ in made]), resamples), made, strict=True):
            pairs = {(a, b): comparison(own[a], own[b]) for a, b in combinations(range(methods), 2)}
            adjusted = holm({pair: each.p for pair, each in pairs.items()})
            yield Table(pairs, adjusted, [interval(score) for score in own], truth)


@dataclass(frozen=True)
class Rates:
    """Shares of pairs and tables: see ``rates``."""

    about: str
    pairs: float
    tables: float
    detected: float
    detected_adjusted: float
    signs: float
    covered: float

    def __str__(self) -> str:
        """The rates as cells of a line of a table, in percent."""
        shares = (self.pairs, self.tables, self.detected, self.detected_adjusted, self.signs, self.covered)
        return " | ".join([self.about, *("—" if np.isnan(share) else f"{100 * share:.1f}" for share in shares)])


def rates(setting: Setting, made: Sequence[Table]) -> Rates:
    """What a setting's tables say.

    ``pairs``: pairs of like methods with p < .05; ``tables``: tables that name a difference between like methods, after
    Holm's adjustment; ``detected``, ``detected_adjusted``: pairs with the better method that are told apart, before and
    after it; ``signs``: of the pairs that are named, those whose better checkpoints really are better (mean over the
    seeds); ``covered``: intervals that hold the method's true accuracy.
    """
    like = [pair for pair in made[0].pairs if not setting.difference or 0 not in pair]
    other = [pair for pair in made[0].pairs if pair not in like]
    signs = [
        np.sign(table.truth[a].mean() - table.truth[b].mean()) == np.sign(table.pairs[a, b].difference)
        for table in made
        for a, b in table.named
    ]
    bounds = [(found, setting.accuracy(place)) for table in made for place, found in enumerate(table.intervals)]
    return Rates(
        made[0].pairs[0, 1].about,
        share([table.pairs[pair].p < ALPHA for table in made for pair in like]),
        share([any(pair in table.named for pair in like) for table in made]),
        share([table.pairs[pair].p < ALPHA for table in made for pair in other]),
        share([table.adjusted[pair] < ALPHA for table in made for pair in other]),
        share(signs),
        share([found.low <= truth <= found.high for found, truth in bounds]),
    )


def share(found: Sequence[bool]) -> float:
    """The share of true ones, nan of none."""
    return float(np.mean(found)) if len(found) else float("nan")


def main() -> None:
    """Print a line a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=400, help="tables of a setting")
    parser.add_argument("--items", type=int, default=872, help="test examples, as many as SST-2 has")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--spreads", type=float, nargs="*", default=SPREADS)
    parser.add_argument("--differences", type=float, nargs="*", default=DIFFERENCES)
    args = parser.parse_args()
    print(f"| {' | '.join(HEADS)} |\n|{'---:|' * len(HEADS)}")
    for difference in args.differences:
        for spread in args.spreads:
            for seeds in args.seeds:
                setting = Setting(seeds, spread, difference)
                made = list(tables(setting, args.tables, items=args.items, resamples=args.resamples))
                print(f"| {100 * difference:g} | {100 * spread:g} | {seeds} | {rates(setting, made)} |", flush=True)


if __name__ == "__main__":
    main()
