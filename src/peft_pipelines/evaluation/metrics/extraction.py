r"""Scores of worked solutions by the patterns of lm-evaluation-harness: what published tables of GSM8K quote.

Both compare the extracted text with the right answer's, without thousands separators, dollar signs and a full stop at
the end. They compare text, not numbers: "18.0" and "18.00" are not "18" (see ``math.number_accuracy`` for that).
"""

import re
from collections.abc import Callable, Sequence

from peft_pipelines.evaluation.metrics.normalize import check

# Patterns and order of lm_eval/tasks/gsm8k/gsm8k.yaml, version 3.
_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
_FLEXIBLE = re.compile(r"(?:-?[$0-9.,]{2,})|(?:-?[0-9]+)")
_OVERLOOKED = tuple(map(re.compile, (",", r"\$", r"(?s).*#### ", r"\.$")))
NOTHING = "[invalid]"
"""What stands for an answer that a pattern finds nothing in."""


def strict_match(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    r"""Share of answers whose first number behind "#### " is a right answer's: the harness's "strict-match".

    >>> strict_match(["6 * 3 = 18\n#### 18.", "#### $18", "18"], [["6 * 3 = 18\n#### 18"]] * 3, [])
    {'strict_match': 0.3333333333333333}
    """
    return {"strict_match": _share(predictions, references, labels, lambda text: _STRICT.findall(text)[:1])}


def flexible_extract(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers whose last number is a right answer's, as it is written: the harness's "flexible-extract".

    >>> flexible_extract(["They cost $1,018.", "so 1018.0", "#### 1018 for 2"], [["#### 1018"]] * 3, [])
    {'flexible_extract': 0.3333333333333333}
    """
    return {"flexible_extract": _share(predictions, references, labels, lambda text: _FLEXIBLE.findall(text)[-1:])}


def _share(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    found: Callable[[str], list[str]],
) -> float:
    check(predictions, references, labels)
    answers = [_written("".join(found(text)).strip() or NOTHING) for text in predictions]
    right = [answer in map(_written, item) for answer, item in zip(answers, references, strict=True)]
    return sum(right) / len(right)


def _written(text: str) -> str:
    """A text without what the harness overlooks, in lower case."""
    for pattern in _OVERLOOKED:
        text = pattern.sub("", text)
    return text.lower()
