import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_rows import more, questions, rows_of

from peft_pipelines.evaluation.metrics.registry import METRICS, quantity, score
from peft_pipelines.evaluation.metrics.unit import COUNT

LABELS = ["no", "yes", "not sure at all, sorry"]
untimed = settings(deadline=None)  # the first row imports scikit-learn
DIAGNOSTIC_KEYS = ("support.", "confusion.")
Rows = tuple[list[str], list[list[str]]]


@st.composite
def label_rows(draw: st.DrawFn) -> Rows:
    answers = st.one_of(st.text(), st.sampled_from(LABELS), st.sampled_from(LABELS).map(lambda word: f" {word}\n"))
    rows = draw(st.lists(st.tuples(answers, st.sampled_from(LABELS)), min_size=1, max_size=30))
    return [answer for answer, _ in rows], [[gold] for _, gold in rows]


@st.composite
def text_rows(draw: st.DrawFn) -> Rows:
    answers = st.one_of(st.text(), st.text("0123456789.,$#=+-*/() ", max_size=30))
    rows = draw(st.lists(st.tuples(answers, st.lists(answers, min_size=1, max_size=3)), min_size=1, max_size=20))
    return [answer for answer, _ in rows], [item for _, item in rows]


ON_THREE_LABELS = [name for name in METRICS if not METRICS[name].misfit(LABELS, False, False, True)]
FREE_TEXT = [name for name in METRICS if not METRICS[name].misfit([], False, True)]


def _check_ranges(scores: dict[str, float]) -> None:
    n = scores.pop("n")
    for name, value in scores.items():
        unit = COUNT if name.startswith(DIAGNOSTIC_KEYS) else quantity(name).unit
        assert type(value) is float
        assert unit.low is not None and value >= unit.low - 1e-9, name
        high = n if unit is COUNT else unit.high
        assert high is None or value <= high + 1e-9, name


@untimed
@given(label_rows())
def test_label_scores_keep_their_range_on_arbitrary_answers(rows: Rows) -> None:
    _check_ranges(score(ON_THREE_LABELS, *rows, LABELS))


@untimed
@given(text_rows())
def test_free_text_scores_keep_their_range_on_arbitrary_text(rows: Rows) -> None:
    _check_ranges(score(FREE_TEXT, *rows, []))


@untimed
@given(label_rows(), st.randoms(use_true_random=False))
def test_order_of_the_items_does_not_matter(rows: Rows, chance: random.Random) -> None:
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    mixed = [rows[0][i] for i in order], [rows[1][i] for i in order]
    assert score(ON_THREE_LABELS, *mixed, LABELS) == pytest.approx(score(ON_THREE_LABELS, *rows, LABELS))


@untimed
@given(text_rows(), st.randoms(use_true_random=False))
def test_order_of_free_text_items_does_not_matter(rows: Rows, chance: random.Random) -> None:
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    mixed = [rows[0][i] for i in order], [rows[1][i] for i in order]
    assert score(FREE_TEXT, *mixed, []) == pytest.approx(score(FREE_TEXT, *rows, []))


@untimed
@given(label_rows())
def test_counts_add_up(rows: Rows) -> None:
    scores = score(["accuracy", "per_class", "invalid_rate"], *rows, LABELS)
    n = scores["n"]
    counts = {name: value for name, value in scores.items() if name.startswith("confusion.")}
    assert sum(counts.values()) == n
    assert sum(scores[f"support.{word}"] for word in LABELS) == n
    assert sum(scores[f"confusion.{word}.{word}"] for word in LABELS) == pytest.approx(scores["accuracy"] * n)
    assert sum(counts[f"confusion.{word}.invalid"] for word in LABELS) == pytest.approx(scores["invalid_rate"] * n)


@untimed
@given(label_rows(), st.lists(st.sampled_from(["", " ", "\n", "\r\n", "\t"]), min_size=30, max_size=30))
def test_white_space_around_an_answer_never_matters(rows: Rows, tails: list[str]) -> None:
    predictions, references = rows
    padded = [text + tail for text, tail in zip(predictions, tails, strict=False)]
    assert score(ON_THREE_LABELS, padded, references, LABELS) == score(ON_THREE_LABELS, predictions, references, LABELS)


@pytest.mark.parametrize("name", METRICS)
def test_first_key_of_a_metric_is_its_name(name: str) -> None:
    metric, n = METRICS[name], 6
    assert next(iter(metric.function(*rows_of(metric, n), *more(metric, questions(n))))) == name


def test_no_two_metrics_share_a_key() -> None:
    keys = [
        key for metric in METRICS.values() for key in metric.function(*rows_of(metric, 6), *more(metric, questions(6)))
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_and_unequal_lengths_are_refused_in_one_line(name: str) -> None:
    metric = METRICS[name]
    with pytest.raises(ValueError, match=r"^no predictions: nothing to score$"):
        metric.function([], [], LABELS, *more(metric, []))
    with pytest.raises(ValueError, match=r"^2 predictions do not fit 1 items of references$"):
        metric.function(["yes", "no"], [["yes"]], LABELS, *more(metric, ["q"]))


def test_score_merges_the_named_metrics_in_order_and_adds_n() -> None:
    scores = score(["invalid_rate", "accuracy"], ["yes", "maybe"], [["yes"], ["no"]], LABELS)
    assert list(scores.items()) == [("invalid_rate", 0.5), ("accuracy", 0.5), ("n", 2.0)]


def test_unknown_metric_is_named_beside_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"^unknown metric 'acuracy'; allowed: accuracy, acc, acc_norm, macro_f1, "):
        score(["accuracy", "acuracy"], ["yes"], [["yes"]], LABELS)


def test_import_is_cheap_and_of_nothing_of_ours() -> None:
    code = "import sys, peft_pipelines.evaluation.metrics.registry; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {
        "torch",
        "sklearn",
        "scipy",
        "sacrebleu",
        "rouge_score",
        "tree_sitter",
        "pandas",
        "numpy",
        "kedro",
    }.isdisjoint(loaded)
    ours = [name for name in loaded if name.startswith("peft_pipelines.")]
    assert all(name.startswith("peft_pipelines.evaluation") for name in ours)
