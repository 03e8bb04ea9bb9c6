r"""Answers to GSM8K as lm_eval 0.4.13 scored them with its own filters: "strict-match" and "flexible-extract"."""

import pytest

from peft_pipelines.evaluation.metrics.extraction import flexible_extract, strict_match
from peft_pipelines.evaluation.metrics.math import number_accuracy

SCORED = [
    ("x\n#### 18", "#### 18", 1, 1),
    ("#### 18.", "#### 18", 1, 1),
    ("$18.00", "#### 18", 0, 0),
    ("18.0", "#### 18", 0, 0),
    ("\\boxed{18} in all.", "#### 18", 0, 1),
    ("\\boxed{18} eggs, 2 a day", "#### 18", 0, 0),
    ("#### $18", "#### 18", 0, 1),
    ("#### 1,018", "9 + 9\n#### 1018", 1, 1),
    ("= $1,018.", "x\n#### 1018", 0, 1),
    ("#### 18\n#### 19", "#### 18", 1, 0),
    ("#### 18 eggs or 19", "#### 18", 1, 0),
    ("The answer is 18.", "#### 18", 0, 1),
    ("It is -3.", "#### -3", 0, 1),
    ("I do not know...", "#### 18", 0, 0),
    ("####18", "#### 18", 0, 1),
    ("", "#### 18", 0, 0),
]


@pytest.mark.parametrize(("answer", "right", "strict", "flexible"), SCORED)
def test_an_answer_is_scored_as_the_harness_does(answer: str, right: str, strict: int, flexible: int) -> None:
    assert strict_match([answer], [[right]], []) == {"strict_match": strict}
    assert flexible_extract([answer], [[right]], []) == {"flexible_extract": flexible}


def test_a_split_has_the_share_of_its_right_answers() -> None:
    answers, golds, *right = map(list, zip(*SCORED, strict=True))
    references = [[gold] for gold in golds]
    found = [strict_match(answers, references, [])["strict_match"]]
    found.append(flexible_extract(answers, references, [])["flexible_extract"])
    assert found == [sum(column) / 16 for column in right] == [5 / 16, 9 / 16]


def test_the_lenient_number_takes_what_both_refuse() -> None:
    lenient = [(text, right) for text, right, *_ in SCORED if text in ("$18.00", "18.0", "\\boxed{18} eggs, 2 a day")]
    answers, golds = map(list, zip(*lenient, strict=True))
    assert len(answers) == 3 and number_accuracy(answers, [[gold] for gold in golds], []) == {"number_accuracy": 1.0}
