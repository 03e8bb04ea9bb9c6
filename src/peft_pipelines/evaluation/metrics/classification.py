"""Scores of answers that should be one of a task's label words.

An answer outside the label set is invalid: it misses the right label's recall and is a prediction of no label. It is
not dropped, not turned into a label, and not a class of its own, so an average over k labels stays one over k.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from peft_pipelines.evaluation.metrics.normalize import check, normalise

INVALID = "invalid"
PAIR = 2


def accuracy(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers that equal a right answer as whole strings. Free text may be scored too.

    >>> accuracy(["yes ", "Yes", "no"], [["yes"], ["yes"], ["no"]], ["no", "yes"])
    {'accuracy': 0.6666666666666666}
    """
    check(predictions, references, labels)
    right = [normalise(text) in map(normalise, item) for text, item in zip(predictions, references, strict=True)]
    return {"accuracy": sum(right) / len(right)}


def macro_f1(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Mean of the labels' F1, over the task's label set and nothing else.

    A label that is neither right nor answered in these rows has F1 0: the divisor never depends on the answers.

    >>> macro_f1(["yes", "yes", "perhaps"], [["yes"], ["no"], ["no"]], ["no", "yes"])
    {'macro_f1': 0.3333333333333333}
    """
    gold, predicted = positions(predictions, references, labels)
    classes = range(len(labels))
    value = _sklearn().f1_score(gold, predicted, labels=classes, average="macro", zero_division=0.0)
    return {"macro_f1": float(value)}


def binary_f1(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """F1 of the second of two labels, the one that data sets number 1.

    Published tables often call this number macro F1. An invalid answer is a miss and no false alarm.

    Raises:
        ValueError: there are not two labels.

    >>> binary_f1(["yes", "yes", "perhaps"], [["yes"], ["no"], ["no"]], ["no", "yes"])
    {'binary_f1': 0.6666666666666666}
    """
    return {"binary_f1": _second_f1(predictions, references, labels)}


def f1a(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """``binary_f1`` under its name where several items make a question: F1 over all items, whatever their question.

    >>> f1a(["yes", "yes", "perhaps"], [["yes"], ["no"], ["no"]], ["no", "yes"])
    {'f1a': 0.6666666666666666}
    """
    return {"f1a": _second_f1(predictions, references, labels)}


def per_class(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Precision, recall, F1 and support of each label, and the confusion counts, as flat keys.

    ``per_class`` itself is balanced accuracy: the mean recall of the labels that are right in at least one row, for
    the recall of any other is undefined whatever the answers are. Undefined precision, recall and F1 are 0.

    >>> scores = per_class(["yes", "yes", "perhaps"], [["yes"], ["no"], ["no"]], ["no", "yes"])
    >>> scores["per_class"], scores["precision.yes"], scores["support.no"], scores["confusion.no.invalid"]
    (0.5, 0.5, 2.0, 1.0)
    """
    gold, predicted = positions(predictions, references, labels)
    words = [normalise(label) for label in labels]
    numbers, present = range(len(words)), sorted(set(gold))
    table = _sklearn().precision_recall_fscore_support(gold, predicted, labels=numbers, zero_division=0.0)
    counts = _sklearn().confusion_matrix(gold, predicted, labels=range(len(words) + 1))
    scores = {"per_class": float(table[1][present].mean())}
    for name, row in zip(("precision", "recall", "f1", "support"), table, strict=True):
        scores |= {f"{name}.{word}": float(value) for word, value in zip(words, row, strict=True)}
    for word, row in zip(words, counts[: len(words)], strict=True):
        scores |= {f"confusion.{word}.{name}": float(n) for name, n in zip([*words, INVALID], row, strict=True)}
    return scores


def invalid_rate(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers that are no label of the task.

    >>> invalid_rate(["yes", "Yes"], [["yes"], ["yes"]], ["no", "yes"])
    {'invalid_rate': 0.5}
    """
    _, predicted = positions(predictions, references, labels)
    return {"invalid_rate": predicted.count(len(labels)) / len(predicted)}


def mcc(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Matthews correlation (Gorodkin's R_k for more than two labels), from -1 to 1.

    Invalid is one more outcome on the side of the answers, and never right. As in macro F1 an invalid answer is a
    miss of the right label and no false alarm of another; it is not flipped to the other label of two. A constant
    answer, valid or not, scores 0, and so does every answer to rows of a single gold label.

    >>> mcc(["yes", "yes", "perhaps", "perhaps"], [["yes"], ["yes"], ["no"], ["no"]], ["no", "yes"])
    {'mcc': 0.5}
    """
    gold, predicted = positions(predictions, references, labels)
    if len(set(gold)) == 1:  # undefined; scikit-learn says 0 as well, but may warn
        return {"mcc": 0.0}
    return {"mcc": float(_sklearn().matthews_corrcoef(gold, predicted))}


def _second_f1(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> float:
    gold, predicted = positions(predictions, references, labels)
    if len(labels) != PAIR:
        raise ValueError(f"two labels are needed, got {list(labels)}")
    return float(_sklearn().f1_score(gold, predicted, labels=[1], average="macro", zero_division=0.0))


def _sklearn() -> Any:
    # Every command reads the names of the metrics and few commands score: 0.7 s of import can wait.
    return import_module("sklearn.metrics")


def positions(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The right labels and the answers as positions in ``labels``; an invalid answer is ``len(labels)``.

    Positions, because arrays of strings lose what follows a fixed width and a trailing NUL.
    """
    check(predictions, references, labels)
    words = [normalise(label) for label in labels]
    if len(words) == 0 or len({*words, INVALID}) != len(words) + 1:
        raise ValueError(f"labels must be distinct words other than '{INVALID}', got {list(labels)}")
    for number, item in enumerate(references):
        if len(item) != 1:
            raise ValueError(f"item {number}: exactly one right label is needed, got {list(item)}")
    position = {word: number for number, word in enumerate(words)}
    gold = [position[normalise(item[0])] for item in references]
    return gold, [position.get(normalise(text), len(words)) for text in predictions]
