"""Every metric as a function of weights: equal to the metric itself on the rows as they are, and on rows repeated."""

import random
import time

import numpy as np
import pytest

from peft_pipelines.evaluation.metrics.registry import BY_QUESTION, METRICS, NAMES, score
from peft_pipelines.evaluation.statistics.correlations import ranks
from peft_pipelines.evaluation.statistics.items import MEANS, RIGHT_OR_WRONG, item_values, statistic
from peft_pipelines.evaluation.statistics.resampling import of_places, resample

Rows = tuple[list[str], list[list[str]], list[str]]
PAIR, FOUR = ["no", "yes"], ["A", "B", "C", "D"]
OF_LABELS = ("accuracy", "macro_f1", "per_class", "invalid_rate", "mcc")
OF_TWO = ("binary_f1", "f1a", "exact_question")
OF_NUMBERS = ("pearson", "spearman", "rmse", "invalid_number_rate")
CODE = ["x = 1", "y = x + 1", "for i in range(3):\n    print(i)", "def f(a):\n    return a", "x =", "return sorted(x)"]


def label_rows(labels: list[str], n: int = 60) -> Rows:
    chance = random.Random(1)
    gold = [chance.choice(labels[:-1] if len(labels) > 2 else labels) for _ in range(n)]
    answers = [word if chance.random() < 0.6 else chance.choice([*labels, "perhaps"]) for word in gold]
    return answers, [[word] for word in gold], labels


def number_rows(n: int = 60) -> Rows:
    chance = random.Random(2)
    gold = [chance.randrange(0, 51) / 10 for _ in range(n)]
    answers = [f"{value + chance.choice([0, 0.5, -1]):.1f}" if chance.random() < 0.9 else "high" for value in gold]
    return answers, [[f"{value:.1f}"] for value in gold], []


def text_rows(n: int = 60) -> Rows:
    chance = random.Random(3)
    texts = [*CODE, "#### 12", "the answer is 12", "(8 - 3) = 5", "a cat sat on the mat", "the cat sat"]
    return [chance.choice(texts) for _ in range(n)], [chance.sample(texts, 2) for _ in range(n)], []


def rows_of(name: str) -> Rows:
    if name in OF_NUMBERS:
        return number_rows()
    return label_rows(PAIR if name in OF_TWO else FOUR) if name in (*OF_LABELS, *OF_TWO) else text_rows()


def questions(n: int) -> list[str]:
    return [f"q{place // 3}" for place in range(n)]


def plain(name: str, places: list[int]) -> float:
    """The metric of some rows, a row as often as it is named."""
    answers, references, labels = rows_of(name)
    names = [questions(60)[place] for place in places]
    rows = [answers[place] for place in places], [references[place] for place in places], labels
    return score([name], *rows, questions=names)[name]


@pytest.mark.parametrize("name", NAMES)
def test_all_weights_one_is_the_metric(name: str) -> None:
    weighted = statistic(name, *rows_of(name), questions=questions(60))
    assert weighted(np.ones((1, 60)))[0] == pytest.approx(plain(name, list(range(60))), abs=1e-12)
    assert plain(name, list(range(60))) not in (0.0, 1.0)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("rmse", *BY_QUESTION)])
def test_weights_are_how_often_a_row_stands_there(name: str) -> None:
    drawn = np.random.default_rng(0).integers(60, size=(20, 60))
    weights = np.array([np.bincount(row, minlength=60) for row in drawn], dtype=float)
    found = statistic(name, *rows_of(name))(weights)
    assert found == pytest.approx([plain(name, row.tolist()) for row in drawn], abs=1e-9)
    assert len(set(found.round(9))) > 3


def test_rmse_of_a_resample_keeps_the_range_of_all_items() -> None:
    weighted = statistic("rmse", ["high", "2"], [["1"], ["5"]], [])
    assert weighted(np.array([[1.0, 0.0], [1.0, 1.0]])).tolist() == [4.0, pytest.approx(12.5**0.5)]


def test_questions_are_weighed_whole() -> None:
    rows = ["yes", "no", "yes"], [["yes"], ["yes"], ["yes"]], PAIR
    weighted = statistic("exact_question", *rows, questions=["q1", "q2", "q2"])
    assert weighted(np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]])).tolist() == [0.5, 0.75]


@pytest.mark.parametrize("name", ["macro_f1", "mcc", "binary_f1", "per_class"])
def test_a_label_that_a_resample_lacks_counts_as_the_metric_counts_it(name: str) -> None:
    rows = ["yes", "no"], [["yes"], ["no"]], PAIR
    expected = score([name], ["yes"] * 2, [["yes"]] * 2, PAIR)[name]
    assert statistic(name, *rows)(np.array([[2.0, 0.0]]))[0] == expected


@pytest.mark.parametrize("name", ["pearson", "spearman"])
@pytest.mark.parametrize("answers", [["1", "1", "1"], ["a", "b", "c"], ["2", "x", "y"]])
def test_a_correlation_without_variation_is_zero(name: str, answers: list[str]) -> None:
    assert statistic(name, answers, [["1"], ["2"], ["3"]], [])(np.ones((2, 3))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [2, 0, 3, 1], [0, 0, 4, 0]])
def test_weighted_ranks_are_those_of_scipy(weights: list[int]) -> None:
    from scipy.stats import rankdata  # noqa: PLC0415

    values = np.array([3.0, 1.0, 3.0, 2.0])
    repeated = np.repeat(values, weights)
    expected = dict(zip(repeated.tolist(), rankdata(repeated).tolist(), strict=True))
    found = ranks(values, np.array([weights], dtype=float))[0]
    assert {value: rank for value, rank, weight in zip(values, found, weights, strict=True) if weight} == expected


def test_the_means_are_means_and_some_of_them_of_right_or_wrong() -> None:
    assert set(MEANS) < set(METRICS)
    for name in MEANS:
        values = set(item_values(name, *rows_of(name)).tolist())
        assert (values == {0.0, 1.0}) is (name in RIGHT_OR_WRONG), name


def test_unknown_metrics_and_unfit_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown metric 'acuracy'; allowed: accuracy, "):
        statistic("acuracy", ["a"], [["a"]], [])
    with pytest.raises(ValueError, match=r"^0 names of questions do not fit 1 items$"):
        statistic("exact_question", ["yes"], [["yes"]], PAIR)
    with pytest.raises(ValueError, match=r"^no predictions: nothing to score$"):
        statistic("macro_f1", [], [], PAIR)
    with pytest.raises(ValueError, match=r"^item 0: a right answer that is a number is needed$"):
        statistic("pearson", ["1"], [["high"]], [])


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "pearson", "spearman", "bleu", "codebleu", "token_f1"])
def test_a_thousand_resamples_of_3000_items_take_seconds(name: str) -> None:
    answers, references, labels = rows_of(name)
    weighted = statistic(name, answers * 50, references * 50, labels)
    start = time.perf_counter()
    drawn = resample([weighted], 3000, resamples=1000).drawn
    assert time.perf_counter() - start < 10
    assert drawn.shape == (1000,)


def test_any_function_of_item_numbers_is_a_statistic() -> None:
    rows = ["red fox", "owl", "red"], [["red fox"], ["hen"], ["red hen"]], []
    values = item_values("token_f1", *rows).tolist()
    assert values == [1.0, 0.0, pytest.approx(2 / 3)]
    slow = of_places(lambda places: sum(values[place] for place in places) / len(places))
    drawn = [resample([each], 3, resamples=50).drawn for each in (slow, statistic("token_f1", *rows))]
    assert drawn[0] == pytest.approx(drawn[1])
