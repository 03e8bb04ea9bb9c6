"""Errors over training seeds and test items together."""

import numpy as np
import pytest
from scipy import stats

from peft_pipelines.evaluation.statistics.crossed import ends_of_share, error_of
from peft_pipelines.evaluation.statistics.scores import comparison, interval, scored

PAIR = ["no", "yes"]


def answers(right: int, n: int) -> list[str]:
    return ["yes"] * right + ["no"] * (n - right)


def test_without_an_error_over_items_it_is_welchs_test() -> None:
    first, second = (0.81, 0.85, 0.86), (0.7, 0.71, 0.78, 0.8)
    found = error_of(0.0, 100, first, second)
    theirs = stats.ttest_ind(first, second, equal_var=False)
    assert found.p(np.mean(first) - np.mean(second)) == pytest.approx(theirs.pvalue)
    assert found.freedom == pytest.approx(theirs.df)


def test_seeds_that_are_all_alike_leave_the_error_over_items() -> None:
    found = error_of(0.02, 50, (0.1 + 0.2, 0.3, 0.3), (0.5, 0.5, 0.5))
    assert (found.value, found.freedom) == (pytest.approx(0.02), pytest.approx(49))


def test_both_errors_add_up_in_squares_and_the_larger_one_decides_freedom() -> None:
    found = error_of(0.04, 1000, (0.5, 0.5 + 0.03 * 6**0.5))  # a variance of the mean of 0.03² · 3
    assert found.value == pytest.approx((0.04**2 + 3 * 0.03**2 / 2) ** 0.5)
    assert 1 < found.freedom < 10


@pytest.mark.parametrize("seeds", [1, 2, 12])
def test_four_wrong_answers_say_as_little_from_twelve_seeds_as_from_one(seeds: int) -> None:
    found = interval(scored("accuracy", [["no"] * 4] * seeds, [["yes"]] * 4, PAIR))
    assert (found.value, found.low, round(found.high, 3)) == (0.0, 0.0, 0.602)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("metric", ["macro_f1", "token_f1"])
def test_a_score_that_no_resample_changes_has_a_width_too(metric: str, seeds: int) -> None:
    references = [["yes"], ["no"]] * 4
    found = interval(scored(metric, [["no", "yes"] * 4] * seeds, references, PAIR))
    assert (found.low, round(found.high, 3)) == (0.0, 0.369)


def test_agreeing_seeds_do_not_count_as_more_items() -> None:
    one = interval(scored("accuracy", [answers(75, 100)], [["yes"]] * 100, PAIR))
    thrice = interval(scored("accuracy", [answers(75, 100)] * 3, [["yes"]] * 100, PAIR))
    assert (thrice.low, thrice.high) == pytest.approx((one.low, one.high), abs=0.004)


def test_seeds_that_differ_widen_the_interval() -> None:
    alike = interval(scored("accuracy", [answers(75, 100)] * 3, [["yes"]] * 100, PAIR))
    apart = interval(scored("accuracy", [answers(right, 100) for right in (60, 75, 90)], [["yes"]] * 100, PAIR))
    assert apart.value == alike.value
    assert apart.high - apart.low > 3 * (alike.high - alike.low)


def test_a_correlation_stays_between_minus_one_and_one() -> None:
    gold = [[str(value)] for value in range(20)]
    texts = [[str((value + shift) % 20) for value in range(20)] for shift in (0, 1, 9)]
    found = interval(scored("pearson", texts, gold, []))
    assert -1 <= found.low < found.value < found.high == 1


def test_an_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    reach = stats.norm.isf(0.025) * (0.3 * 0.7 / 50) ** 0.5
    theirs = stats.binomtest(15, 50).proportion_ci(method="exact")
    assert ends_of_share(0.3, reach, 1000, 0.95) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("seeds", "about"), [(1, "checkpoints"), (2, "checkpoints"), (3, "methods")])
def test_three_seeds_are_needed_to_speak_of_methods(seeds: int, about: str) -> None:
    good, poor = (
        scored("accuracy", [answers(right + seed, 100) for seed in range(seeds)], [["yes"]] * 100, PAIR)
        for right in (80, 40)
    )
    found = comparison(good, poor)
    assert (found.about, found.seeds, found.p < 0.001) == (about, seeds, True)
    assert comparison(good, scored("accuracy", [answers(40, 100)], [["yes"]] * 100, PAIR)).about == "checkpoints"


def test_what_one_unlucky_seed_decides_is_no_difference_between_methods() -> None:
    """Sure of the items, unsure of the seeds: 90, 90 and 60 % against three times 90 %."""
    references = [["yes"]] * 1000
    steady = scored("accuracy", [answers(900, 1000)] * 3, references, PAIR)
    shaky = scored("accuracy", [answers(right, 1000) for right in (900, 900, 600)], references, PAIR)
    found = comparison(steady, shaky)
    assert found.difference == pytest.approx(0.1)
    assert found.p > 0.3 and found.low < 0 < found.high
    assert found.low == pytest.approx(0.1 - (found.high - 0.1))


def test_a_comparison_of_methods_turned_round_is_its_mirror_image() -> None:
    first, second = (
        scored("accuracy", [answers(right, 200) for right in rights], [["yes"]] * 200, PAIR)
        for rights in ((150, 160, 155), (140, 120, 150))
    )
    one, other = comparison(first, second), comparison(second, first)
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))


def test_methods_that_no_resample_and_no_seed_tell_from_a_constant() -> None:
    """Three seeds, all right against all wrong: as many items as there are decide, not a division by zero."""
    right, wrong = (scored("accuracy", [[word] * 200] * 3, [["yes"]] * 200, PAIR) for word in ("yes", "no"))
    found = comparison(right, wrong)
    assert (found.about, found.difference, found.error) == ("methods", 1.0, 0.0)
    assert 2 / 10_001 < found.p < 0.0003
