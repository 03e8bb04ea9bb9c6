"""The worked example is table 6 of Demšar 2006 (JMLR 7): the AUC of four decision trees on 14 data sets.

On the 13th the paper ranks two scores that it prints as .975 the one before the other; the fifth digit says so here.
"""

import random
from itertools import combinations

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats
from statsmodels.stats.libqsturng import qsturng

from peft_pipelines.evaluation.statistics.ranks import (
    alike_ranks,
    average_ranks,
    cliques,
    critical_difference,
    friedman,
    letters,
    nemenyi,
)

DEMSAR = {
    "C4.5": [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.0, 0.940, 0.619, 0.972, 0.957],
    "C4.5+m": [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.0, 0.962, 0.666, 0.981, 0.978],
    "C4.5+cf": [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.0, 0.965, 0.614, 0.97501, 0.946],
    "C4.5+m+cf": [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.0, 0.962, 0.669, 0.975, 0.970],
}


def test_average_ranks_are_the_published_ones() -> None:
    assert average_ranks(DEMSAR) == pytest.approx(
        {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}, abs=5e-4
    )


def test_friedman_is_the_published_statistic_with_ties_corrected() -> None:
    ranks = np.array(list(average_ranks(DEMSAR).values()))
    uncorrected = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 25 / 4)
    assert uncorrected == pytest.approx(9.28, abs=5e-3)
    found = friedman(DEMSAR)
    theirs = stats.friedmanchisquare(*DEMSAR.values())
    assert (found.statistic, found.p) == (theirs.statistic, theirs.pvalue)
    ties = [4, 2, 2, 2]  # methods that share a rank, on the four data sets where some do
    assert found.statistic == pytest.approx(uncorrected / (1 - sum(t**3 - t for t in ties) / (14 * 4 * 15)))
    assert (found.tasks, found.methods) == (14, 4)


@pytest.mark.parametrize(
    ("methods", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_critical_values_are_those_of_demsars_table_5(methods: int, q: float) -> None:
    scale = (methods * (methods + 1) / 6) ** 0.5
    assert critical_difference(methods, 1) / scale == pytest.approx(q, abs=1.1e-3)
    assert critical_difference(methods, 1) / scale == pytest.approx(qsturng(0.95, methods, np.inf) / 2**0.5, abs=5e-3)


def test_the_critical_difference_and_the_bars_are_the_published_ones() -> None:
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    assert critical_difference(4, 14, alpha=0.10) == pytest.approx(1.12, abs=5e-3)
    assert alike_ranks(average_ranks(DEMSAR), critical_difference(4, 14)) == [
        ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"),
    ]
    assert alike_ranks(average_ranks(DEMSAR), critical_difference(4, 14, alpha=0.10)) == [
        ("C4.5+m+cf", "C4.5+m", "C4.5+cf"),
        ("C4.5+cf", "C4.5"),
    ]


def test_nemenyi_is_that_of_scikit_posthocs() -> None:
    theirs = scikit_posthocs.posthoc_nemenyi_friedman(np.array(list(DEMSAR.values())).T).to_numpy()
    found = nemenyi(average_ranks(DEMSAR), 14)
    names = list(DEMSAR)
    assert len(found) == 6
    for (a, b), p in found.items():
        assert p == pytest.approx(theirs[names.index(a)][names.index(b)], abs=1e-3)


def test_ranks_that_differ_by_the_critical_difference_have_p_alpha() -> None:
    difference = critical_difference(5, 12)
    ranks = {"a": 1.0, "b": 1.0 + difference, "c": 3.0, "d": 3.0, "e": 3.0}
    assert nemenyi(ranks, 12)["a", "b"] == pytest.approx(0.05, abs=1e-4)


def test_methods_alike_everywhere_are_not_told_apart() -> None:
    found = friedman({"a": [0.5, 0.7], "b": [0.5, 0.7], "c": [0.5, 0.7]})
    assert (found.statistic, found.p) == (0.0, 1.0)


def test_scores_that_differ_by_rounding_tie() -> None:
    assert average_ranks({"a": [0.1 + 0.2], "b": [0.3]}) == {"a": 1.5, "b": 1.5}


def test_too_few_methods_or_tasks_and_missing_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^2 methods on 3 tasks are too few: 3 methods and 2 tasks are needed$"):
        friedman({"a": [1, 2, 3], "b": [1, 2, 3]})
    with pytest.raises(ValueError, match=r"^each method needs a score of each task, got {'a': 2, 'b': 1}$"):
        average_ranks({"a": [1, 2], "b": [1]})
    with pytest.raises(ValueError, match=r"^a score of 'b' is missing; leave out its task for all methods$"):
        average_ranks({"a": [1, 2], "b": [1, float("nan")]})


# --- groups that do not differ ---


def test_a_chain_of_small_steps_is_a_chain_of_bars() -> None:
    ranks = {"d": 4.0, "a": 1.0, "b": 1.9, "c": 2.8, "e": 5.0}
    assert alike_ranks(ranks, 1.0) == [("a", "b"), ("b", "c")]
    assert alike_ranks(ranks, 0.5) == []
    assert alike_ranks(ranks, 9.0) == [("a", "b", "c", "d", "e")]


def test_letters_are_shared_by_what_is_not_told_apart_and_by_nothing_else() -> None:
    names = [f"m{number}" for number in range(7)]
    generator = np.random.default_rng(0)
    for _ in range(50):
        p_values = {
            (a, b): float(generator.random() < 0.5) for place, a in enumerate(names) for b in names[place + 1 :]
        }
        found = letters(names, p_values)
        for (a, b), p in p_values.items():
            assert bool(set(found[a]) & set(found[b])) is (p >= 0.05)
        assert all(found.values()) and "a" in found["m0"]


def test_literal_letters() -> None:
    p_values = {("a", "b"): 0.5, ("a", "c"): 0.01, ("b", "c"): 0.2, ("a", "d"): 0.0, ("b", "d"): 0.0, ("c", "d"): 0.03}
    assert letters(["a", "b", "c", "d"], p_values) == {"a": "a", "b": "ab", "c": "b", "d": "c"}
    assert letters(["a", "b"], {("b", "a"): 1.0}) == {"a": "a", "b": "a"}
    assert letters(["a"], {}) == {"a": "a"}


def test_cliques_are_largest_and_all_there() -> None:
    edges = {frozenset(pair) for pair in ("ab", "ac", "bc", "cd", "de")}
    assert cliques("abcdef", lambda x, y: frozenset((x, y)) in edges) == [
        ("a", "b", "c"),
        ("c", "d"),
        ("d", "e"),
        ("f",),
    ]


def test_cliques_of_forty_alike_names_are_found_at_once() -> None:
    names = [str(number) for number in range(40)]
    assert cliques(names, lambda a, b: True) == [tuple(names)]


@pytest.mark.parametrize("seed", range(30))
def test_cliques_are_those_of_trying_all_sets(seed: int) -> None:
    chance = random.Random(seed)
    names = [str(number) for number in range(chance.randrange(1, 8))]
    edges = {frozenset(pair) for pair in combinations(names, 2) if chance.random() < 0.6}
    sets = [part for size in range(1, 9) for part in combinations(names, size)]
    alike = [part for part in sets if all(frozenset(pair) in edges for pair in combinations(part, 2))]
    largest = [part for part in alike if not any(set(part) < set(other) for other in alike)]
    assert cliques(names, lambda a, b: frozenset((a, b)) in edges) == sorted(largest)
