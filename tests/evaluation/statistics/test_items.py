"""Every metric as a function of weights: equal to the metric itself on the rows as they are, and on rows repeated."""

import time
from dataclasses import replace

import numpy as np
import pytest
from metric_rows import PAIR, questions, rows_of

from peft_pipelines.evaluation.metrics.metric import Kind, Metric, Resampling
from peft_pipelines.evaluation.metrics.registry import METRICS, score
from peft_pipelines.evaluation.metrics.weighted.numbers import ranks
from peft_pipelines.evaluation.metrics.weighted.statistic import of_places
from peft_pipelines.evaluation.statistics.items import item_values, statistic
from peft_pipelines.evaluation.statistics.resampling import resample


def plain(name: str, places: list[int]) -> float:
    """The metric of some rows, a row as often as it is named."""
    answers, references, labels = rows_of(METRICS[name])
    names = [questions(60)[place] for place in places]
    rows = [answers[place] for place in places], [references[place] for place in places], labels
    return score([name], *rows, questions=names)[name]


@pytest.mark.parametrize("name", METRICS)
def test_all_weights_one_is_the_metric(name: str) -> None:
    weighted = statistic(name, *rows_of(METRICS[name]), questions=questions(60))
    assert weighted(np.ones((1, 60)))[0] == pytest.approx(plain(name, list(range(60))), abs=1e-12)
    assert plain(name, list(range(60))) not in (0.0, 1.0)


OF_ITEMS = [name for name, metric in METRICS.items() if metric.resampling is not Resampling.QUESTIONS]


@pytest.mark.parametrize("name", [name for name in OF_ITEMS if name != "rmse"])
def test_weights_are_how_often_a_row_stands_there(name: str) -> None:
    drawn = np.random.default_rng(0).integers(60, size=(20, 60))
    weights = np.array([np.bincount(row, minlength=60) for row in drawn], dtype=float)
    found = statistic(name, *rows_of(METRICS[name]))(weights)
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


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.by_item])
def test_a_mean_is_called_a_share_where_items_are_right_or_wrong(name: str) -> None:
    values = set(item_values(name, *rows_of(METRICS[name])).tolist())
    assert (values == {0.0, 1.0}) is (METRICS[name].resampling is Resampling.SHARE)


def graded(predictions: list[str], references: list[list[str]], labels: list[str]) -> dict[str, float]:
    return {"graded": sum(map(float, predictions)) / len(predictions)}


def test_graded_items_are_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "graded", Metric(graded, Resampling.SHARE, (Kind.TEXT,)))
    line = r"^metric 'graded' is a share of items, but item 1 has the value 0\.2; allowed: 0, 1$"
    with pytest.raises(ValueError, match=line):
        statistic("graded", ["1", "0.2"], [["1"], ["1"]], [])


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.weighted and name != "rmse"])
def test_without_a_weighted_form_the_numbers_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    metric, n = METRICS[name], 30
    rows, names = rows_of(metric, n), questions(n)
    together = names if metric.resampling is Resampling.QUESTIONS else None
    fast = resample([statistic(name, *rows, questions=names)], n, groups=together, resamples=20)
    monkeypatch.setitem(METRICS, name, replace(metric, weighted=None))
    slow = resample([statistic(name, *rows, questions=names)], n, groups=together, resamples=20)
    assert slow.value == pytest.approx(fast.value)
    assert slow.drawn == pytest.approx(fast.drawn, abs=1e-9)


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
    answers, references, labels = rows_of(METRICS[name])
    weighted = statistic(name, answers * 50, references * 50, labels)
    start = time.perf_counter()
    drawn = resample([weighted], 3000, resamples=1000).drawn
    assert time.perf_counter() - start < 10
    assert drawn.shape == (1000,)


def test_any_function_of_item_numbers_is_a_statistic() -> None:
    rows = ["red fox", "owl", "red"], [["red fox"], ["hen"], ["red hen"]], []
    values = item_values("token_f1", *rows).tolist()
    assert values == [1.0, 0.0, pytest.approx(2 / 3)]
    slow = of_places(lambda places, _: sum(values[place] for place in places) / len(places))
    drawn = [resample([each], 3, resamples=50).drawn for each in (slow, statistic("token_f1", *rows))]
    assert drawn[0] == pytest.approx(drawn[1])
