"""Answers that know nothing of the question: the rows that a method has to beat."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from peft_pipelines.evaluation.metrics.normalize import normalise


def majority_answer(references: Sequence[Sequence[str]]) -> str:
    """The answer that is right for most items; of equally frequent ones the first in sorted order.

    >>> majority_answer([["yes"], ["no"], ["no "], ["yes"], ["maybe", "no"]])
    'no'
    """
    counts = Counter(text for item in references for text in {normalise(answer) for answer in item})
    if not counts:
        raise ValueError("no references: there is no majority answer")
    return min(counts, key=lambda text: (-counts[text], text))


GUESSES = 200_000
DRAWS = 200


def random_scores(
    score: Callable[[list[str]], Mapping[str, float]], items: int, labels: Sequence[str], seed: int = 0
) -> dict[str, float]:
    """The expected scores of answers drawn evenly from the labels; nothing where there are none, for free text.

    The mean over some 200 seeded draws, fewer where there are so many items that each draw comes close. The draws are
    shifted copies of each other, so that each item gets each label equally often: what is a mean over items, such as
    accuracy, is exact.

    Args:
        score: from one answer for each item to numbers, such as the task's metrics.
        items: how many answers that takes.
        labels: the task's label words.
        seed: of the draws.

    >>> gold = ["no", "yes", "yes"]
    >>> random_scores(lambda answers: {"accuracy": sum(map(str.__eq__, answers, gold)) / 3}, 3, ["no", "yes"])
    {'accuracy': 0.5}
    """
    if not labels:
        return {}
    draw, found = random.Random(seed), []
    for _ in range(max(1, min(DRAWS, GUESSES // items) // len(labels))):
        first = [draw.randrange(len(labels)) for _ in range(items)]
        found += [score([labels[(place + shift) % len(labels)] for place in first]) for shift in range(len(labels))]
    return {name: fmean(scores[name] for scores in found) for name in found[0]}
