"""Answers that know nothing of the question: the rows that a method has to beat."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from peft_pipelines.evaluation.metrics.metric import Metric, Resampling
from peft_pipelines.evaluation.metrics.normalize import normalise
from peft_pipelines.evaluation.metrics.registry import metric
from peft_pipelines.evaluation.metrics.weighted.statistic import Statistic

Places = np.ndarray[Any, np.dtype[np.int64]]


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
    names: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    questions: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """The expected scores of answers drawn evenly from the labels; nothing where there are none, for free text.

    What is a mean over items, such as accuracy, is exact: the mean over the labels. The rest is the mean over some 200
    seeded draws, fewer where there are so many items that each draw comes close. The draws are shifted copies of each
    other, so that each item gets each label equally often.

    Args:
        names: metrics of the registry.
        references: the right answers of each item.
        labels: the task's label words.
        questions: the question of each item, for the metrics that are resampled by it.
        seed: of the draws.

    >>> random_scores(["accuracy"], [["no"], ["yes"], ["yes"]], ["no", "yes"])
    {'accuracy': 0.5, 'n': 3.0}
    """
    if not labels:
        return {}
    draws = _draws(len(references), len(labels), seed)
    found = {name: _expected(metric(name), references, labels, draws, questions) for name in names}
    return found | {"n": float(len(references))}


def _draws(items: int, labels: int, seed: int) -> Places:
    """The places of drawn labels (draws, items)."""
    times = max(1, min(DRAWS, GUESSES // items) // labels)
    first = np.random.default_rng(seed).integers(labels, size=(times, 1, items))
    return ((first + np.arange(labels)[:, None]) % labels).reshape(-1, items)


def _expected(
    one: Metric,
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    draws: Places,
    questions: Sequence[str] | None,
) -> float:
    if one.by_item:
        return fmean(one.function([label] * len(references), references, labels)[one.name] for label in labels)
    if one.weighted and one.resampling is Resampling.WHOLE_SPLIT:
        return float(np.mean(_of_draws(one.weighted, references, labels, draws)))
    beside = [] if questions is None else [questions]
    answers = ([labels[place] for place in draw] for draw in draws)
    return fmean(one.function(given, references, labels, *beside)[one.name] for given in answers)


def _of_draws(
    weighted: Callable[..., Statistic], references: Sequence[Sequence[str]], labels: Sequence[str], draws: Places
) -> list[float]:
    """A metric of each draw: of all items with all labels as answers, those count once that were drawn."""
    k, items = len(labels), len(references)
    statistic = weighted(list(labels) * items, [item for item in references for _ in labels], labels)
    numbers, weights = [], np.zeros((1, items * k))
    for draw in draws:
        weights[:] = 0
        weights[0, np.arange(items) * k + draw] = 1
        numbers.append(float(statistic(weights)[0]))
    return numbers
