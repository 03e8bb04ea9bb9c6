"""Answers that know nothing of the question: the rows that a method has to beat."""

from collections import Counter
from collections.abc import Sequence

from peft_pipelines.metrics.answers import normalise


def majority_answer(references: Sequence[Sequence[str]]) -> str:
    """The answer that is right for most items; of equally frequent ones the first in sorted order.

    >>> majority_answer([["yes"], ["no"], ["no "], ["yes"], ["maybe", "no"]])
    'no'
    """
    counts = Counter(text for item in references for text in {normalise(answer) for answer in item})
    if not counts:
        raise ValueError("no references: there is no majority answer")
    return min(counts, key=lambda text: (-counts[text], text))
