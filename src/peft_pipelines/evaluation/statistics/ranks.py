"""Tests of differences between methods over many tasks (Demšar 2006)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from string import ascii_lowercase

import numpy as np

from peft_pipelines.evaluation.statistics.intervals import stats
from peft_pipelines.evaluation.statistics.power import ALPHA

FEWEST_METHODS, FEWEST_TASKS = 3, 2


@dataclass(frozen=True)
class Friedman:
    """Friedman's statistic (chi-squared, corrected for ties) and its p-value over a count of tasks and methods."""

    statistic: float
    p: float
    tasks: int
    methods: int


def average_ranks(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean rank of each method over tasks: 1 is the best score, ties share their mean rank.

    Args:
        scores: of each method a score a task, larger is better (turn the sign where lower is), tasks in the same order.

    Raises:
        ValueError: methods have scores of unequally many tasks, or one is missing (nan).

    >>> average_ranks({"a": [0.9, 0.8], "b": [0.7, 0.8], "c": [0.1, 0.2]})
    {'a': 1.25, 'b': 1.75, 'c': 3.0}
    """
    ranks = stats().rankdata(-_table(scores), axis=0).mean(axis=1)
    return {name: float(rank) for name, rank in zip(scores, ranks, strict=True)}


def friedman(scores: Mapping[str, Sequence[float]]) -> Friedman:
    """Friedman's test that all methods are alike; its p-value is an approximation, rough below ten tasks.

    Raises:
        ValueError: fewer than three methods or two tasks, or scores are missing.

    >>> found = friedman({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6], "c": [0.1, 0.2, 0.3]})
    >>> found.statistic, round(found.p, 4)
    (6.0, 0.0498)
    """
    table = _table(scores)
    methods, tasks = table.shape
    if methods < FEWEST_METHODS or tasks < FEWEST_TASKS:
        raise ValueError(f"{methods} methods on {tasks} tasks are too few: 3 methods and 2 tasks are needed")
    if (table == table[0]).all():  # scipy divides by 0
        return Friedman(0.0, 1.0, tasks, methods)
    found = stats().friedmanchisquare(*table)
    return Friedman(float(found.statistic), float(found.pvalue), tasks, methods)


def critical_difference(methods: int, tasks: int, *, alpha: float = ALPHA) -> float:
    """Smallest difference of two average ranks that is significant by Nemenyi's test.

    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    quantile = stats().studentized_range.ppf(1 - alpha, methods, np.inf) / sqrt(2)
    return float(quantile * sqrt(methods * (methods + 1) / (6 * tasks)))


def nemenyi(ranks: Mapping[str, float], tasks: int) -> dict[tuple[str, str], float]:
    """Nemenyi's p-value of each pair of methods, adjusted for all pairs, from their average ranks.

    >>> {pair: round(p, 3) for pair, p in nemenyi({"a": 1.0, "b": 2.2, "c": 2.8}, 10).items()}
    {('a', 'b'): 0.02, ('a', 'c'): 0.0, ('b', 'c'): 0.372}
    """
    scale, studentized = sqrt(len(ranks) * (len(ranks) + 1) / (6 * tasks)), stats().studentized_range
    return {
        (a, b): float(studentized.sf(abs(ranks[a] - ranks[b]) / scale * sqrt(2), len(ranks), np.inf))
        for a, b in _pairs(ranks)
    }


def alike_ranks(ranks: Mapping[str, float], difference: float) -> list[tuple[str, ...]]:
    """The bars of a critical-difference diagram: largest sets of methods whose ranks differ by less than that.

    Best first, in each set and among the sets; a method that stands alone has no bar.

    >>> alike_ranks({"a": 1.2, "b": 2.1, "c": 2.9, "d": 4.5}, 1.0)
    [('a', 'b'), ('b', 'c')]
    """
    best = sorted(ranks, key=lambda name: ranks[name])
    sets = cliques(best, lambda a, b: abs(ranks[a] - ranks[b]) < difference)
    return [members for members in sets if len(members) > 1]


def letters(names: Sequence[str], p_values: Mapping[tuple[str, str], float], *, alpha: float = ALPHA) -> dict[str, str]:
    """The compact letter display of one task: methods that share a letter do not differ significantly.

    Args:
        names: the methods, best first.
        p_values: of each pair, in either order, the p-value adjusted for the family (see ``paired.holm``).
        alpha: p-values below it are significant.

    >>> letters(["a", "b", "c"], {("a", "b"): 0.3, ("b", "c"): 0.2, ("c", "a"): 0.01})
    {'a': 'a', 'b': 'ab', 'c': 'b'}
    """
    both = {**p_values, **{(b, a): p for (a, b), p in p_values.items()}}
    sets = cliques(names, lambda a, b: both[a, b] >= alpha)
    return {name: "".join(_letter(place) for place, part in enumerate(sets) if name in part) for name in names}


def cliques(names: Sequence[str], alike: Callable[[str, str], bool]) -> list[tuple[str, ...]]:
    """The largest sets of names of which each two are alike; each in the order of ``names``, and so are the sets.

    >>> cliques(["a", "b", "c"], lambda one, other: {one, other} != {"a", "c"})
    [('a', 'b'), ('b', 'c')]
    """
    found: list[tuple[str, ...]] = []

    def grow(members: tuple[str, ...], fitting: list[str], done: list[str]) -> None:
        if not fitting and not done:
            found.append(members)
            return
        # What is alike to the name with the most fitting ones is found through it: without this, n names that are all
        # alike would take 2**n steps.
        most = max([*fitting, *done], key=lambda name: sum(alike(name, other) for other in fitting if other != name))
        for name in [name for name in fitting if name == most or not alike(most, name)]:
            near = [[other for other in part if other != name and alike(name, other)] for part in (fitting, done)]
            grow((*members, name), *near)
            fitting, done = [other for other in fitting if other != name], [*done, name]

    grow((), list(names), [])
    place = {name: number for number, name in enumerate(names)}
    return sorted(
        (tuple(sorted(members, key=place.__getitem__)) for members in found),
        key=lambda members: [place[name] for name in members],
    )


def _letter(place: int) -> str:
    """a to z, then a2 to z2 and so on."""
    turn, letter = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(turn + 1) if turn else "")


def _pairs(names: Mapping[str, float]) -> list[tuple[str, str]]:
    ordered = list(names)
    return [(a, b) for place, a in enumerate(ordered) for b in ordered[place + 1 :]]


def _table(scores: Mapping[str, Sequence[float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    counts = {name: len(row) for name, row in scores.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"each method needs a score of each task, got {counts}")
    table = np.array(list(scores.values()), dtype=np.float64).round(12)  # what differs by rounding ties
    if not np.isfinite(table).all():
        missing = next(name for name, row in scores.items() if not np.isfinite(row).all())
        raise ValueError(f"a score of '{missing}' is missing; leave out its task for all methods")
    return table
