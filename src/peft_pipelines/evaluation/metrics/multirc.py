"""Scores of questions that have several items, each an answer of its own that is true or false."""

from collections.abc import Sequence

from peft_pipelines.evaluation.metrics.classification import positions, second_of
from peft_pipelines.evaluation.metrics.normalize import check, normalise


def exact_question(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    questions: Sequence[str],
) -> dict[str, float]:
    """Share of the questions whose items are all answered right.

    Args:
        predictions: the answer to each item.
        references: the right answers of each item.
        labels: the task's label words.
        questions: the name of each item's question; items of one need not be neighbours.

    Raises:
        ValueError: there are not as many names as items.

    >>> exact_question(["yes", "no", "yes"], [["yes"], ["no"], ["no"]], ["no", "yes"], ["q1", "q1", "q2"])
    {'exact_question': 0.5}
    """
    right = right_questions(predictions, references, labels, questions)
    return {"exact_question": sum(right.values()) / len(right)}


def f1m(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    questions: Sequence[str],
) -> dict[str, float]:
    """F1 of the second label by question: the harmonic mean of the questions' mean precision and mean recall.

    As in the data set's own script (multirc_measures.py), a question of which nothing is answered with that label has
    precision 1, and one of which nothing is right has recall 1. An invalid answer is a miss and no false alarm.

    Args:
        predictions: the answer to each item.
        references: the right answers of each item.
        labels: the task's two label words.
        questions: the name of each item's question; items of one need not be neighbours.

    Raises:
        ValueError: there are not two labels, or not as many names as items.

    >>> f1m(["yes", "yes", "no"], [["yes"], ["no"], ["yes"]], ["no", "yes"], ["q1", "q1", "q2"])
    {'f1m': 0.6}
    """
    shares = list(question_shares(predictions, references, labels, questions).values())
    precision, recall = (sum(part) / len(shares) for part in zip(*shares, strict=True))
    return {"f1m": 2 * precision * recall / (precision + recall) if precision + recall else 0.0}


def question_shares(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    questions: Sequence[str],
) -> dict[str, tuple[float, float]]:
    """By question, in order of appearance, precision and recall of the second label; errors as for ``f1m``."""
    gold, answers = positions(predictions, references, labels)
    second = second_of(labels)
    counts: dict[str, list[int]] = {}
    for right, answer, name in zip(gold, answers, _named(questions, predictions), strict=True):
        found = counts.setdefault(name, [0, 0, 0])
        for place, holds in enumerate((right == answer == second, answer == second, right == second)):
            found[place] += holds
    return {
        name: (both / answered if answered else 1.0, both / right if right else 1.0)
        for name, (both, answered, right) in counts.items()
    }


def right_questions(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    questions: Sequence[str],
) -> dict[str, bool]:
    """By question, in order of appearance, True where all of its items are answered right."""
    check(predictions, references, labels)
    right: dict[str, bool] = {}
    for text, item, name in zip(predictions, references, _named(questions, predictions), strict=True):
        right[name] = right.get(name, True) and normalise(text) in map(normalise, item)
    return right


def _named(questions: Sequence[str], predictions: Sequence[str]) -> Sequence[str]:
    """The names of the items' questions, if there are as many as items."""
    if len(questions) != len(predictions):
        raise ValueError(f"{len(questions)} names of questions do not fit {len(predictions)} items")
    return questions
