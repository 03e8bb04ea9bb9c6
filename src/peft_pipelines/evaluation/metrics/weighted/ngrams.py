"""Metrics of pooled n-gram counts as statistics of weighted items."""

from collections.abc import Callable, Sequence

import numpy as np

from peft_pipelines.evaluation.metrics.bleu import bleu_counts, bleu_of
from peft_pipelines.evaluation.metrics.codebleu import item_counts, scores_of
from peft_pipelines.evaluation.metrics.weighted.statistic import Statistic, Sums

Texts = Sequence[str]
Items = Sequence[Sequence[str]]


def bleu(predictions: Texts, references: Items, labels: Texts) -> Statistic:
    """Corpus BLEU; no label words are needed."""
    return _pooled(predictions, references, bleu_counts, bleu_of)


def codebleu(predictions: Texts, references: Items, labels: Texts) -> Statistic:
    """CodeBLEU; no label words are needed."""
    return _pooled(predictions, references, item_counts, lambda sums: scores_of(sums)["codebleu"])


def _pooled(
    predictions: Texts,
    references: Items,
    counts: Callable[[str, Sequence[str]], list[float]],
    number: Callable[[list[float]], float],
) -> Statistic:
    """A function of the items' added counts that is called once a sample."""
    items = np.array([counts(text, item) for text, item in zip(predictions, references, strict=True)])
    return Sums(items, lambda sums: np.array([number(row) for row in sums.tolist()]))
