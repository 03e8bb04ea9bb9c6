"""Scores of answers that should be one of a task's label words.

An answer outside the label set is invalid: it misses the right label's recall and is a prediction of no label. It is
not dropped, not turned into a label, and not a class of its own, so an average over k labels stays one over k.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from operator import add, mul
from statistics import fmean

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
    return {"macro_f1": fmean(_counted(predictions, references, labels).f1)}


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
    counts, words = _counted(predictions, references, labels), [normalise(label) for label in labels]
    present = [recall for recall, gold in zip(counts.recall, counts.gold, strict=True) if gold]
    numbers: dict[str, float] = {"per_class": fmean(present)}
    columns: dict[str, Sequence[float]] = {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "support": counts.gold,
    }
    for name, column in columns.items():
        numbers |= {f"{name}.{word}": float(value) for word, value in zip(words, column, strict=True)}
    for word, row in zip(words, counts.table, strict=True):
        numbers |= {f"confusion.{word}.{name}": float(n) for name, n in zip([*words, INVALID], row, strict=True)}
    return numbers


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
    counts = _counted(predictions, references, labels)
    n, answers = sum(counts.gold), counts.answers
    shared = n * sum(counts.right) - sum(map(mul, counts.gold, answers))
    scales = (n * n - sum(count * count for count in counts.gold)) * (n * n - sum(count * count for count in answers))
    return {"mcc": shared / sqrt(scales) if scales else 0.0}


def _second_f1(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> float:
    counts = _counted(predictions, references, labels)
    return counts.f1[second_of(labels)]


def second_of(labels: Sequence[str]) -> int:
    """The place of the second of two labels, the positive class; ValueError where there are not two."""
    if len(labels) != PAIR:
        raise ValueError(f"two labels are needed, got {list(labels)}")
    return 1


@dataclass(frozen=True)
class _Counts:
    """How often each answer, an invalid one last, was given where each label is right: ``table[label][answer]``."""

    table: list[list[int]]

    @property
    def right(self) -> list[int]:
        return [row[place] for place, row in enumerate(self.table)]

    @property
    def gold(self) -> list[int]:
        return [sum(row) for row in self.table]

    @property
    def answers(self) -> list[int]:
        """How often each answer was given, an invalid one last."""
        return [sum(column) for column in zip(*self.table, strict=True)]

    @property
    def precision(self) -> list[float]:
        return _shares(self.right, self.answers[:-1])

    @property
    def recall(self) -> list[float]:
        return _shares(self.right, self.gold)

    @property
    def f1(self) -> list[float]:
        either = map(add, self.gold, self.answers)
        return _shares([2 * count for count in self.right], either)


def _shares(over: Iterable[int], under: Iterable[int]) -> list[float]:
    """Quotients, 0 where undefined."""
    return [count / whole if whole else 0.0 for count, whole in zip(over, under, strict=True)]


def _counted(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> _Counts:
    table = [[0] * (len(labels) + 1) for _ in labels]
    for gold, answer in zip(*positions(predictions, references, labels), strict=True):
        table[gold][answer] += 1
    return _Counts(table)


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
