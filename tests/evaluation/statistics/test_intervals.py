import random
from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score
from statsmodels.stats.proportion import proportion_confint

from peft_pipelines.evaluation.statistics.intervals import Spread, bootstrap, exact, spread
from peft_pipelines.evaluation.statistics.items import statistic
from peft_pipelines.evaluation.statistics.resampling import CELLS, Resamples, draws, resample, resample_all
from peft_pipelines.evaluation.statistics.scores import interval, scored, scored_all

PAIR = ["no", "yes"]


def label_rows(n: int, right: float, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    chance = random.Random(seed)
    gold = [chance.choice(PAIR) for _ in range(n)]
    answers = [word if chance.random() < right else PAIR[1 - PAIR.index(word)] for word in gold]
    return answers, [[word] for word in gold]


def accuracy_of(values: list[int], **draw: object) -> Resamples:
    answers = ["a" if value else "b" for value in values]
    return resample([statistic("accuracy", answers, [["a"]] * len(values), [])], len(values), **draw)  # type: ignore[arg-type]


# --- draws ---


def test_equal_seeds_give_equal_draws_and_others_do_not() -> None:
    values = [1, 0] * 30
    assert accuracy_of(values, seed=1).drawn.tolist() == accuracy_of(values, seed=1).drawn.tolist()
    assert accuracy_of(values, seed=1).drawn.tolist() != accuracy_of(values, seed=2).drawn.tolist()


def test_each_resample_has_as_many_items_as_there_are() -> None:
    parts = list(draws(50, None, 0, 200))
    assert [part.shape for part in parts] == [(200, 50)]
    assert (parts[0].sum(axis=1) == 50).all()
    assert parts[0].mean(axis=0) == pytest.approx(np.ones(50), abs=0.4)


def test_items_of_a_group_are_drawn_together() -> None:
    (weights,) = draws(5, ["p", "q", "p", "r", "p"], 0, 100)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 0] == weights[:, 4]).all()
    assert ((weights[:, 0] + weights[:, 1] + weights[:, 3]) == 3).all()


def test_many_items_are_drawn_in_parts() -> None:
    n = CELLS // 3
    assert [part.shape for part in draws(n, None, 0, 4)] == [(3, n), (1, n)]


def test_no_items_no_seeds_and_unfit_groups_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^no items: nothing to draw from$"):
        resample([lambda weights: weights[:, 0]], 0)
    with pytest.raises(ValueError, match=r"^no seeds: nothing to score$"):
        resample([], 3)
    with pytest.raises(ValueError, match=r"^1 names of groups do not fit 2 items$"):
        accuracy_of([1, 0], groups=["p"])


def test_scores_drawn_together_are_those_drawn_alone() -> None:
    n = CELLS // 1000  # several parts
    texts = {name: ["a" if (place * step) % 7 else "b" for place in range(n)] for name, step in (("x", 1), ("y", 3))}
    found = {name: [statistic("accuracy", answers, [["a"]] * n, [])] for name, answers in texts.items()}
    together = resample_all(found, n, seed=3, resamples=2000)
    for name, seeds in found.items():
        alone = resample(seeds, n, seed=3, resamples=2000)
        assert together[name].drawn.tolist() == alone.drawn.tolist()
        assert (together[name].value, together[name].draw, together[name].n) == (alone.value, alone.draw, alone.n)


@pytest.mark.parametrize("groups", [None, ["p", "q"] * 30])
def test_methods_and_metrics_scored_together_are_as_scored_alone(groups: list[str] | None) -> None:
    one, references = label_rows(60, 0.8)
    other, _ = label_rows(60, 0.5)
    methods = {"one": [one], "both": [one, other]}
    found = scored_all(["accuracy", "macro_f1"], methods, references, PAIR, groups=groups)
    for metric, (name, answers) in product(found, methods.items()):
        alone = scored(metric, answers, references, PAIR, groups=groups)
        assert (found[metric][name].metric.name, found[metric][name].right) == (metric, alone.right)
        assert found[metric][name].resamples.drawn.tolist() == alone.resamples.drawn.tolist()


# --- against scipy, statsmodels and the law ---


def test_the_bootstrap_of_macro_f1_is_that_of_scipy() -> None:
    answers, references = label_rows(200, 0.8)
    found = bootstrap(resample([statistic("macro_f1", answers, references, PAIR)], 200))
    gold, predicted = np.array([item[0] for item in references]), np.array(answers)
    theirs = stats.bootstrap(
        (gold, predicted),
        lambda a, b: f1_score(a, b, average="macro"),
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=0,
    )
    assert found.value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.008)
    assert found.error == pytest.approx(theirs.standard_error, rel=0.06)


def test_the_bootstrap_of_a_share_has_the_standard_error_of_a_share() -> None:
    found = bootstrap(accuracy_of([1] * 150 + [0] * 50))
    assert found.error == pytest.approx((0.75 * 0.25 / 200) ** 0.5, rel=0.03)
    assert (found.low, found.high) == pytest.approx((0.75 - 0.06, 0.75 + 0.06), abs=0.006)


def test_nineteen_in_twenty_intervals_hold_the_truth() -> None:
    truth, held = 0.7, 0
    for seed in range(200):
        values = (np.random.default_rng(seed).random(150) < truth).astype(int).tolist()
        found = bootstrap(accuracy_of(values, seed=seed, resamples=400))
        held += found.low <= truth <= found.high
    assert held / 200 == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize("units", [8, 20])
def test_nineteen_in_twenty_intervals_of_few_groups_hold_the_truth(units: int) -> None:
    held, groups = 0, np.repeat(np.arange(units), 5).astype(str).tolist()
    for seed in range(300):
        values = np.repeat(np.random.default_rng(seed).random(units) < 0.6, 5).astype(int).tolist()
        found = bootstrap(accuracy_of(values, seed=seed, groups=groups, resamples=400))
        held += found.low <= 0.6 <= found.high
    assert held / 300 == pytest.approx(0.95, abs=0.035)


def test_groups_that_are_alike_inside_count_as_one_item_each() -> None:
    values = [value for value in [1, 0, 1, 1, 0, 1, 1, 1, 0, 1] for _ in range(20)]
    groups = [f"p{place // 20}" for place in range(200)]
    alone, together = bootstrap(accuracy_of(values)), bootstrap(accuracy_of(values, groups=groups))
    assert (alone.n, alone.units, together.n, together.units) == (200, 200, 200, 10)
    assert alone.value == together.value == 0.7
    assert together.error == pytest.approx(alone.error * 20**0.5, rel=0.05)


def test_groups_of_one_item_change_nothing() -> None:
    values = [1, 0, 1, 1, 0] * 8
    names = [f"p{place}" for place in range(40)]
    assert accuracy_of(values).drawn.tolist() == accuracy_of(values, groups=names).drawn.tolist()


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (7, 10), (691, 1043), (1, 1)])
def test_the_exact_interval_is_that_of_statsmodels(right: int, n: int) -> None:
    found = exact(right, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(right, n, method="beta"), abs=1e-6)
    assert (found.value, found.n, found.method) == (right / n, n, "exact")


@pytest.mark.parametrize(("right", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(right: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"^-?\d right answers of \d items are no share$"):
        exact(right, n)


def test_mean_deviation_and_count_of_seeds() -> None:
    assert spread([0.8, 0.9, 0.7]) == Spread(pytest.approx(0.8), pytest.approx(0.1), 3)  # type: ignore[arg-type]
    assert spread([0.8]) == Spread(0.8, None, 1)
    with pytest.raises(ValueError, match=r"^no scores: nothing to average$"):
        spread([])


# --- which interval a score gets ---


@pytest.mark.parametrize(
    ("name", "seeds", "groups", "method"),
    [
        ("accuracy", 1, None, "exact"),
        ("accuracy", 2, None, "seeds_and_items"),
        ("macro_f1", 3, None, "seeds_and_items"),
        ("accuracy", 1, ["p"] * 20 + ["q"] * 20, "bootstrap"),
        ("macro_f1", 1, None, "bootstrap"),
        ("token_f1", 1, None, "bootstrap"),
    ],
)
def test_only_a_share_of_independent_items_gets_the_exact_interval(
    name: str, seeds: int, groups: list[str] | None, method: str
) -> None:
    answers, references = label_rows(40, 0.8)
    found = interval(scored(name, [answers] * seeds, references, PAIR, groups=groups))
    assert found.method == method
    assert found.low < found.value < found.high


def test_a_score_of_questions_is_resampled_by_question() -> None:
    answers, references = label_rows(40, 0.8)
    names = [f"q{place // 4}" for place in range(40)]
    found = interval(scored("exact_question", [answers], references, PAIR, questions=names))
    assert (found.n, found.units, found.method) == (40, 10, "bootstrap")


def test_the_score_of_several_seeds_is_their_mean() -> None:
    (one, references), (other, _) = label_rows(40, 0.9, seed=1), label_rows(40, 0.6, seed=2)
    alone = [interval(scored("macro_f1", [answers], references, PAIR)).value for answers in (one, other)]
    assert interval(scored("macro_f1", [one, other], references, PAIR)).value == pytest.approx(sum(alone) / 2)


def test_a_score_without_an_error_has_a_width_where_it_is_a_share() -> None:
    found = interval(scored("accuracy", [["yes"] * 20], [["yes"]] * 20, PAIR))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.8316, abs=1e-4)
