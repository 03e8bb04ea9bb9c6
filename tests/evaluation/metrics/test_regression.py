import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from peft_pipelines.evaluation.metrics.registry import score
from peft_pipelines.evaluation.metrics.regression import invalid_number_rate, pearson, plain_number, rmse, spearman

NUMBER_METRICS = ["pearson", "spearman", "rmse", "invalid_number_rate"]
untimed = settings(deadline=None)  # the first row imports scipy
scale = st.integers(0, 50).map(lambda tenths: f"{tenths / 10:.1f}")


def _items(gold: list[str]) -> list[list[str]]:
    return [[number] for number in gold]


# --- literal rows ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3.8", 3.8), (" 3.80\n", 3.8), ("4", 4.0), ("4.", 4.0), (".5", 0.5), ("-0.5", -0.5), ("+1", 1.0), ("007", 7.0)],
)
def test_plain_number(text: str, expected: float) -> None:
    assert plain_number(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "3.8 of 5",
        "about 4",
        "3,8",
        "1e3",
        "nan",
        "inf",
        "4 .0",
        "- 1",
        "five",
        "1_0",
        "\u0665",
        "9" * 5000,
    ],
)
def test_anything_else_is_no_plain_number(text: str) -> None:
    assert plain_number(text) is None


def test_literal_rows_of_every_number_metric() -> None:
    scores = score(NUMBER_METRICS, ["1", "2.0", "30", "high"], _items(["1.0", "2.0", "3.0", "5.0"]), [])
    assert scores == pytest.approx(
        {
            "pearson": 0.75 * stats.pearsonr([1, 2, 30], [1, 2, 3]).statistic,
            "spearman": 0.75,
            "rmse": math.sqrt((0 + 0 + 27**2 + 4**2) / 4),
            "invalid_number_rate": 0.25,
            "n": 4.0,
        }
    )


# --- against scipy ---


@pytest.mark.parametrize("seed", range(5))
def test_scipy_agrees_where_all_answers_are_numbers(seed: int) -> None:
    chance = random.Random(seed)
    gold = [chance.randint(0, 50) / 10 for _ in range(200)]
    answers = [round(right + chance.gauss(0, 1), 1) for right in gold]
    scores = score(NUMBER_METRICS, list(map(str, answers)), _items(list(map(str, gold))), [])
    assert scores["pearson"] == pytest.approx(stats.pearsonr(gold, answers).statistic)
    assert scores["spearman"] == pytest.approx(stats.spearmanr(gold, answers).statistic)
    assert scores["rmse"] == pytest.approx(
        sum((a - b) ** 2 for a, b in zip(gold, answers, strict=True)) ** 0.5 / 200**0.5
    )
    assert scores["invalid_number_rate"] == 0.0


# --- known traps ---


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("answers", "gold"),
    [
        (["3", "3.0", "3.00"], ["1", "2", "3"]),
        (["1", "2", "3"], ["4", "4", "4"]),
        (["high", "", "nan"], ["1", "2", "3"]),
        (["1", "x", "x"], ["1", "2", "3"]),
        (["1"], ["1"]),
    ],
    ids=["constant answer", "constant gold", "only invalid", "one valid", "one row"],
)
def test_undefined_correlation_is_zero_without_a_warning(answers: list[str], gold: list[str]) -> None:
    assert pearson(answers, _items(gold), []) == {"pearson": 0.0}
    assert spearman(answers, _items(gold), []) == {"spearman": 0.0}


def test_an_invalid_answer_is_worth_no_more_than_a_wrong_one() -> None:
    gold = [str(number / 10) for number in range(100)]
    perfect = score(NUMBER_METRICS, gold, _items(gold), [])
    with_invalid = score(NUMBER_METRICS, ["high", *gold[1:]], _items(gold), [])
    assert perfect == pytest.approx(
        {"pearson": 1.0, "spearman": 1.0, "rmse": 0.0, "invalid_number_rate": 0.0, "n": 100.0}
    )
    assert with_invalid["pearson"] == pytest.approx(0.99)
    assert with_invalid["spearman"] == pytest.approx(0.99)
    assert with_invalid["rmse"] == pytest.approx(9.9 / 10)
    assert with_invalid["n"] == 100.0


@pytest.mark.parametrize("item", [["yes"], ["nan"], ["1", "2"]])
def test_a_right_answer_that_is_not_one_number_is_refused_in_one_line(item: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        pearson(["1", "2"], [["1"], item], [])
    assert str(error.value) == f"item 1: exactly one right answer that is a number is needed, got {item}"


# --- properties ---


@untimed
@given(
    st.lists(st.tuples(st.one_of(scale, st.text(max_size=5)), scale), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_ranges_and_order(rows: list[tuple[str, str]], chance: random.Random) -> None:
    answers, gold = [answer for answer, _ in rows], [right for _, right in rows]
    scores = score(NUMBER_METRICS, answers, _items(gold), [])
    assert all(type(value) is float and math.isfinite(value) for value in scores.values())
    assert -1 <= scores["pearson"] <= 1 and -1 <= scores["spearman"] <= 1 and 0 <= scores["invalid_number_rate"] <= 1
    chance.shuffle(rows)
    mixed = score(NUMBER_METRICS, [answer for answer, _ in rows], _items([right for _, right in rows]), [])
    assert mixed == pytest.approx(scores, abs=1e-9)


@untimed
@given(st.lists(st.tuples(scale, scale), min_size=2, max_size=20), st.integers(1, 5))
def test_invalid_answers_scale_a_correlation_by_the_share_of_valid_ones(
    rows: list[tuple[str, str]], invalid: int
) -> None:
    answers, gold = [answer for answer, _ in rows], [right for _, right in rows]
    share = len(rows) / (len(rows) + invalid)
    more = [*answers, *["none"] * invalid], _items([*gold, *["2.5"] * invalid])
    assert pearson(*more, [])["pearson"] == pytest.approx(pearson(answers, _items(gold), [])["pearson"] * share)
    assert spearman(*more, [])["spearman"] == pytest.approx(spearman(answers, _items(gold), [])["spearman"] * share)
    assert invalid_number_rate(*more, [])["invalid_number_rate"] == pytest.approx(1 - share)


@untimed
@given(st.lists(scale, min_size=1, max_size=20), scale)
def test_no_answer_within_the_range_errs_more_than_an_invalid_one(gold: list[str], answer: str) -> None:
    low, high = min(map(float, gold)), max(map(float, gold))
    within = str(min(max(float(answer), low), high))
    invalid = rmse(["none", *gold[1:]], _items(gold), [])["rmse"]
    assert rmse([within, *gold[1:]], _items(gold), [])["rmse"] <= invalid + 1e-12
