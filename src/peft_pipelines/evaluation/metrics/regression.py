"""Scores of answers that are a number on a scale, such as a similarity from 0 to 5.

An answer is a plain number or it is invalid: "3.8" is one, "3.8 of 5", "about 4" and "nan" are not. An invalid answer
is wrong, not left out: a correlation is that of the valid answers times their share, as accuracy is that of the valid
answers times their share; the error of an invalid answer is the largest that any answer within the scale could make.
"""

import math
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from peft_pipelines.evaluation.metrics.normalize import check, normalise

NO_NUMBER = -1e9
"""Closeness of an answer that is no number: below that of any number."""

# The digits are bounded so that no sum of squares overflows.
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")


def pearson(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Pearson's correlation of answers and right answers, from -1 to 1; 0 where either side is constant.

    >>> pearson(["1", "3", "high", "5"], [["1.0"], ["2.0"], ["4.0"], ["3.0"]], [])
    {'pearson': 0.7...}
    """
    return {"pearson": _correlation("pearsonr", predictions, references, labels)}


def spearman(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Spearman's correlation of ranks (ties share their mean rank), from -1 to 1; 0 where either side is constant.

    >>> spearman(["1", "2", "high", "30"], [["1.0"], ["2.0"], ["4.0"], ["3.0"]], [])
    {'spearman': 0.75}
    """
    return {"spearman": _correlation("spearmanr", predictions, references, labels)}


def rmse(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Root of the mean squared error, in units of the scale; lower is better.

    An invalid answer errs as far as the right answer lies from the farther end of the right answers' range.

    >>> rmse(["1", "high"], [["1.0"], ["5.0"]], [])
    {'rmse': 2.8284271247461903}
    """
    gold, answers = _numbers(predictions, references, labels)
    low, high = min(gold), max(gold)
    errors = [
        max(right - low, high - right) if answer is None else answer - right
        for right, answer in zip(gold, answers, strict=True)
    ]
    return {"rmse": math.sqrt(math.fsum(error * error for error in errors) / len(errors))}


def invalid_number_rate(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers that are no plain number.

    >>> invalid_number_rate(["3.8", "3.8 of 5"], [["3.8"], ["3.8"]], [])
    {'invalid_number_rate': 0.5}
    """
    _, answers = _numbers(predictions, references, labels)
    return {"invalid_number_rate": answers.count(None) / len(answers)}


def plain_number(text: str) -> float | None:
    """The number that a text consists of, or None.

    >>> plain_number(" 3.8"), plain_number("3,8"), plain_number("nan")
    (3.8, None, None)
    """
    text = normalise(text)
    return float(text) if _PLAIN.fullmatch(text) else None


def closeness(prediction: str, references: Sequence[str], labels: Sequence[str]) -> float:
    """Minus the absolute error of a single answer; ``NO_NUMBER`` where it is no plain number.

    >>> closeness("2.5", ["3.0"], []), closeness("high", ["3.0"], []) == NO_NUMBER
    (-0.5, True)
    """
    number, gold = plain_number(prediction), plain_number(references[0])
    return NO_NUMBER if number is None or gold is None else -abs(number - gold)


def _correlation(
    name: str, predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> float:
    gold, answers = _numbers(predictions, references, labels)
    pairs = [(right, answer) for right, answer in zip(gold, answers, strict=True) if answer is not None]
    sides = list(zip(*pairs, strict=True))
    if not all(len(set(side)) > 1 for side in sides) or not sides:  # undefined; scipy warns and says nan
        return 0.0
    return float(getattr(_scipy(), name)(*sides).statistic) * len(pairs) / len(gold)


def _scipy() -> Any:
    # As in classification.py: a second of import can wait until something is scored.
    return import_module("scipy.stats")


def _numbers(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> tuple[list[float], list[float | None]]:
    """The right numbers, and the answers as numbers or None."""
    check(predictions, references, labels)
    gold = []
    for number, item in enumerate(references):
        value = plain_number(item[0]) if len(item) == 1 else None
        if value is None:
            raise ValueError(f"item {number}: exactly one right answer that is a number is needed, got {list(item)}")
        gold.append(value)
    return gold, [plain_number(text) for text in predictions]
