import random

import pytest

from peft_pipelines.evaluation.metrics.metric import Resampling
from peft_pipelines.evaluation.metrics.multirc import exact_question, f1m, right_questions
from peft_pipelines.evaluation.metrics.registry import METRICS, score

PAIR = ["false", "true"]


def _items(gold: list[str]) -> list[list[str]]:
    return [[word] for word in gold]


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (["true", "false", "true", "true"], 1.0),
        (["true", "true", "true", "true"], 0.5),
        (["true", "false", "true", "false"], 0.5),
        (["false", "false", "true", "perhaps"], 0.0),
        (["true\n", "false", " true", "true"], 1.0),
    ],
)
def test_a_question_is_right_where_all_its_items_are(predictions: list[str], expected: float) -> None:
    gold = _items(["true", "false", "true", "true"])
    assert exact_question(predictions, gold, PAIR, ["q1", "q1", "q2", "q2"]) == {"exact_question": expected}


def test_order_of_a_questions_items_does_not_matter() -> None:
    rows = [("true", "true", "q1"), ("true", "false", "q2"), ("false", "false", "q1"), ("true", "true", "q2")]
    for seed in range(4):
        random.Random(seed).shuffle(rows)
        predictions, gold, names = (list(column) for column in zip(*rows, strict=True))
        assert exact_question(predictions, _items(gold), PAIR, names) == {"exact_question": 0.5}
        assert right_questions(predictions, _items(gold), PAIR, names) == {"q1": True, "q2": False}


def test_questions_of_one_item_make_it_accuracy() -> None:
    chance = random.Random(0)
    gold = [chance.choice(PAIR) for _ in range(50)]
    predictions = [chance.choice([*PAIR, "perhaps"]) for _ in gold]
    names = [f"q{place}" for place in range(50)]
    scores = score(["accuracy", "exact_question"], predictions, _items(gold), PAIR, questions=names)
    assert scores["exact_question"] == pytest.approx(scores["accuracy"])


def test_f1a_and_exact_match_by_question_are_as_the_papers_define_them() -> None:
    """Three questions of two, three and one candidate answers: 3 of 4 right ones found, 1 false alarm; 1 question."""
    gold = ["true", "false", "true", "true", "false", "true"]
    predictions = ["true", "true", "true", "false", "false", "true"]
    names = ["q1", "q1", "q2", "q2", "q2", "q3"]
    scores = score(["f1a", "exact_question"], predictions, _items(gold), PAIR, questions=names)
    assert scores == {"f1a": pytest.approx(2 * 3 / (2 * 3 + 1 + 1)), "exact_question": pytest.approx(1 / 3), "n": 6.0}


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        # precisions 1/2, 1, 1 and recalls 1, 1/2, 1: both means are 5/6
        (["true", "true", "true", "false", "false", "true"], 5 / 6),
        # nothing answered true: precisions 1 and recalls 0
        (["false"] * 6, 0.0),
        # the first question alone: precisions 1/2, 1, 1 and recalls 1, 0, 0
        (["true", "true", "false", "perhaps", "false", "perhaps"], 2 * (5 / 6) * (1 / 3) / (5 / 6 + 1 / 3)),
        (["true", "false", "true", "true", "false", "true"], 1.0),
    ],
)
def test_f1m_is_that_of_the_data_sets_own_script(predictions: list[str], expected: float) -> None:
    gold = ["true", "false", "true", "true", "false", "true"]
    names = ["q1", "q1", "q2", "q2", "q2", "q3"]
    assert f1m(predictions, _items(gold), PAIR, names) == {"f1m": pytest.approx(expected, abs=1e-12)}


def test_a_question_without_right_items_has_all_recall_in_f1m() -> None:
    """Precisions 0 and 1, recalls 1 and 1."""
    gold, names = ["false", "true"], ["q1", "q2"]
    assert f1m(["true", "true"], _items(gold), PAIR, names) == {"f1m": pytest.approx(2 * 0.5 / 1.5)}


def test_a_metric_of_questions_needs_them() -> None:
    with pytest.raises(ValueError, match=r"^metric 'exact_question' needs the questions that the items belong to$"):
        score(["exact_question"], ["true"], [["true"]], PAIR)
    with pytest.raises(ValueError, match=r"^1 names of questions do not fit 2 items$"):
        exact_question(["true", "true"], [["true"], ["true"]], PAIR, ["q1"])


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].resampling is Resampling.QUESTIONS])
def test_metrics_of_questions_keep_the_rules_of_the_others(name: str) -> None:
    function = METRICS[name].function
    assert list(function(["true"], [["true"]], PAIR, ["q"]).items()) == [(name, 1.0)]
    with pytest.raises(ValueError, match=r"^no predictions: nothing to score$"):
        function([], [], PAIR, [])
    with pytest.raises(ValueError, match=r"^item 0: right answer '-1' is not a label of the task"):
        function(["true"], [["-1"]], PAIR, ["q"])
