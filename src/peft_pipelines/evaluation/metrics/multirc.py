"""Scores of questions that have several items, each an answer of its own that is true or false."""

from collections.abc import Sequence

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


def right_questions(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    questions: Sequence[str],
) -> dict[str, bool]:
    """By question, in order of appearance, True where all of its items are answered right."""
    check(predictions, references, labels)
    if len(questions) != len(predictions):
        raise ValueError(f"{len(questions)} names of questions do not fit {len(predictions)} items")
    right: dict[str, bool] = {}
    for text, item, name in zip(predictions, references, questions, strict=True):
        right[name] = right.get(name, True) and normalise(text) in map(normalise, item)
    return right
