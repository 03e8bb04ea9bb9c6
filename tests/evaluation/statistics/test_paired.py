import random

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from peft_pipelines.evaluation.statistics.items import statistic
from peft_pipelines.evaluation.statistics.paired import McNemar, compare, holm, mcnemar
from peft_pipelines.evaluation.statistics.power import detectable_share
from peft_pipelines.evaluation.statistics.resampling import Resamples, resample
from peft_pipelines.evaluation.statistics.scores import Score, comparison, scored

PAIR = ["no", "yes"]
RIGHT = [["yes"], ["no"]] * 100


def answers(share: float, seed: int, references: list[list[str]] = RIGHT) -> list[str]:
    chance = random.Random(seed)
    return [item[0] if chance.random() < share else PAIR[item[0] == "no"] for item in references]


def score(name: str, *seeds: list[str], **draw: object) -> Score:
    return scored(name, list(seeds), RIGHT, PAIR, **draw)  # type: ignore[arg-type]


# --- McNemar ---


@pytest.mark.parametrize(("both", "first", "second", "neither"), [(40, 8, 1, 3), (10, 0, 6, 10), (5, 3, 3, 5)])
def test_mcnemar_is_that_of_statsmodels(both: int, first: int, second: int, neither: int) -> None:
    rows = [(True, True)] * both + [(True, False)] * first + [(False, True)] * second + [(False, False)] * neither
    found = mcnemar([a for a, _ in rows], [b for _, b in rows])
    theirs = their_mcnemar([[both, first], [second, neither]], exact=True)
    assert found == McNemar(first, second, pytest.approx(theirs.pvalue))  # type: ignore[arg-type]


def test_equal_answers_are_not_told_apart() -> None:
    assert mcnemar([True, False], [True, False]) == McNemar(0, 0, 1.0)


def test_mcnemar_refuses_other_items() -> None:
    with pytest.raises(ValueError, match=r"^1 items do not fit 2: both must answer the same ones$"):
        mcnemar([True], [True, False])


# --- the paired bootstrap ---


def test_equal_answers_differ_by_nothing_and_p_is_one() -> None:
    found = comparison(score("macro_f1", answers(0.8, 1)), score("macro_f1", answers(0.8, 1)))
    assert (found.difference, found.low, found.high, found.p, found.error) == (0.0, 0.0, 0.0, 1.0, 0.0)


def test_a_comparison_turned_round_is_its_mirror_image() -> None:
    first, second = score("macro_f1", answers(0.8, 1)), score("macro_f1", answers(0.7, 2))
    one, other = comparison(first, second), comparison(second, first)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    assert one.p == other.p


def test_the_difference_of_shares_has_the_error_of_paired_shares() -> None:
    one, other = answers(0.8, 1), answers(0.7, 2)
    found = compare(score("accuracy", one).resamples, score("accuracy", other).resamples)
    right = [[text == item[0] for text, item in zip(side, RIGHT, strict=True)] for side in (one, other)]
    differences = np.subtract(*np.array(right, dtype=float))
    assert found.difference == pytest.approx(differences.mean())
    assert found.error == pytest.approx(differences.std() / 200**0.5, rel=0.04)
    assert found.detectable == pytest.approx(2.8016 * found.error, rel=1e-4)


@pytest.mark.parametrize(("share", "apart"), [(0.95, True), (0.71, False)])
def test_p_is_small_where_the_interval_leaves_zero_out(share: float, apart: bool) -> None:
    found = comparison(score("macro_f1", answers(share, 1)), score("macro_f1", answers(0.7, 2)))
    assert (found.p < 0.05) is apart
    assert (found.low > 0) is apart
    assert found.test == ("bootstrap_t" if apart else "bootstrap")


def test_one_in_twenty_equal_methods_is_told_apart() -> None:
    found = 0
    for seed in range(200):
        pair = [answers(0.75, 2 * seed + side) for side in (0, 1)]
        one, other = (resample([statistic("macro_f1", side, RIGHT, PAIR)], 200, resamples=500) for side in pair)
        found += compare(one, other).p < 0.05
    assert found / 200 == pytest.approx(0.05, abs=0.035)


def test_mcnemar_decides_for_one_seed_of_independent_shares() -> None:
    found = comparison(score("accuracy", answers(0.8, 1)), score("accuracy", answers(0.7, 2)))
    right = [
        [text == item[0] for text, item in zip(side, RIGHT, strict=True)] for side in (answers(0.8, 1), answers(0.7, 2))
    ]
    pairs = mcnemar(*right)
    assert (found.test, found.p) == ("mcnemar", pairs.p)
    assert found.detectable == detectable_share(200, (pairs.only_first + pairs.only_second) / 200)


def test_several_seeds_stay_together_and_do_not_make_the_test_set_larger() -> None:
    """Three equal seeds say what one says; three different ones give a steadier mean of the same 200 items."""
    one, other = answers(0.8, 1), answers(0.7, 2)
    alone = compare(score("accuracy", one).resamples, score("accuracy", other).resamples)
    thrice = comparison(score("accuracy", *[one] * 3), score("accuracy", *[other] * 3))
    assert (thrice.test, thrice.n, thrice.units) == ("seeds_and_items", 200, 200)
    assert (thrice.error, thrice.difference) == pytest.approx((alone.error, alone.difference), rel=0.003)
    assert thrice.p == pytest.approx(alone.p, abs=0.0005)
    steadier = comparison(
        score("accuracy", *[answers(0.8, seed) for seed in (1, 3, 5)]),
        score("accuracy", *[answers(0.7, seed) for seed in (2, 4, 6)]),
    )
    assert steadier.error == pytest.approx(0.772 * alone.error, rel=0.01)


def test_groups_widen_a_comparison_of_answers_that_are_alike_inside() -> None:
    passages = [f"p{place // 10}" for place in range(200)]
    whole = [item[0] if place // 10 % 4 else "perhaps" for place, item in enumerate(RIGHT)]
    alone = comparison(score("macro_f1", whole), score("macro_f1", answers(0.7, 2)))
    together = comparison(
        score("macro_f1", whole, groups=passages), score("macro_f1", answers(0.7, 2), groups=passages)
    )
    assert together.difference == alone.difference
    assert (together.units, alone.units) == (20, 200)
    assert together.error > 1.5 * alone.error


@pytest.mark.parametrize("draw", [{"seed": 1}, {"resamples": 500}, {"groups": ["p"] * 100 + ["q"] * 100}])
def test_scores_of_other_draws_are_not_compared(draw: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^the two scores were resampled differently: items, groups, seed and count"):
        comparison(score("macro_f1", answers(0.8, 1)), score("macro_f1", answers(0.7, 2), **draw))


# --- families ---


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5], [0.0, 1.0, 0.02, 0.02], [0.3]])
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    found = holm(dict(enumerate(p_values)))
    assert list(found) == list(range(len(p_values)))
    assert list(found.values()) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_a_family_of_no_comparisons_is_empty() -> None:
    assert holm({}) == {}


# --- p-values that resamples are too few for ---


def test_where_no_resample_crosses_0_students_t_says_how_far_0_is() -> None:
    one, other = answers(0.95, 1), answers(0.55, 2)
    found = comparison(score("macro_f1", one), score("macro_f1", other))
    assert found.test == "bootstrap_t"
    assert found.p == pytest.approx(2 * stats.t.sf(found.difference / found.error, 199))
    assert found.p < 1e-10 < 2 / 10_001


def test_elsewhere_the_share_of_resamples_stands() -> None:
    found = comparison(score("macro_f1", answers(0.8, 1)), score("macro_f1", answers(0.7, 2)))
    assert (found.test, found.p > 2 / 10_001) == ("bootstrap", True)


def test_few_items_do_not_look_like_certainty() -> None:
    """Three passages, all won by one side: no resample lies on the other, and yet three are three."""
    passages = ["p"] * 70 + ["q"] * 70 + ["r"] * 60
    one, other = answers(0.95, 1), answers(0.5, 2)
    found = comparison(score("macro_f1", one, groups=passages), score("macro_f1", other, groups=passages))
    assert found.units == 3
    assert found.p == pytest.approx(2 * stats.t.sf(found.difference / found.error * (2 / 3) ** 0.5, 2))
    assert 0.01 < found.p < 0.05


@pytest.mark.parametrize(("units", "most"), [(8, 0.08), (15, 0.08), (60, 0.08)])
def test_equal_methods_differ_significantly_once_in_twenty_times(units: int, most: float) -> None:
    """300 pairs of methods with equal chances, five items to a group that are mostly right or wrong together."""
    chance = np.random.default_rng(units)
    groups = np.repeat(np.arange(units), 5).astype(str).tolist()

    def drawn() -> Resamples:
        hard = np.repeat(chance.random(units), 5) + chance.normal(0, 0.1, 5 * units)
        texts = ["a" if value < 0.7 else "b" for value in hard]
        return resample(
            [statistic("accuracy", texts, [["a"]] * len(texts), [])], len(texts), groups=groups, resamples=400
        )

    found = [compare(drawn(), drawn()).p for _ in range(300)]
    assert np.mean(np.array(found) < 0.05) < most
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_resamples_that_are_all_alike_are_no_proof() -> None:
    """Every item right on one side, wrong on the other: the bootstrap knows no error, so what 200 items allow stays."""
    right, wrong = [item[0] for item in RIGHT], [PAIR[item[0] == "no"] for item in RIGHT]
    found = compare(score("accuracy", right).resamples, score("accuracy", wrong).resamples)
    assert (found.difference, found.error, found.test) == (1.0, 0.0, "bootstrap")
    assert 2 / 10_001 < found.p < 0.0003


def test_students_law_agrees_with_resamples_where_both_can_see() -> None:
    """Of 30 differences near the edge of what 10,000 resamples can tell, the two p-values are of one size."""
    ratios = []
    for seed in range(30):
        one, other = answers(0.8, 3 * seed), answers(0.68, 3 * seed + 1)
        found = compare(score("macro_f1", one).resamples, score("macro_f1", other).resamples)
        law = 2 * stats.t.sf(abs(found.difference) / found.error, 199)
        ratios.append(found.p / law)
    assert np.median(ratios) == pytest.approx(1.0, abs=0.15)
