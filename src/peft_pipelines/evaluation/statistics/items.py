"""Every metric as a statistic of weighted items, so that a thousand resamples cost little more than one.

Nearly all metrics are functions of sums over items: shares, F1 (of counts of labels), correlation (of squares and
products), BLEU and CodeBLEU (of n-gram counts). ``statistic`` of a metric's name gives its function of weights, which
is the metric itself where all weights are one.
"""

from collections.abc import Callable, Sequence

import numpy as np

from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.bleu import bleu_counts, bleu_of
from peft_pipelines.evaluation.metrics.classification import positions
from peft_pipelines.evaluation.metrics.codebleu import item_counts, scores_of
from peft_pipelines.evaluation.metrics.multirc import right_questions
from peft_pipelines.evaluation.metrics.normalize import check
from peft_pipelines.evaluation.statistics.correlations import pearson, rmse, spearman
from peft_pipelines.evaluation.statistics.resampling import Array, Statistic, Sums

Texts = Sequence[str]
Items = Sequence[Sequence[str]]
Labels = Sequence[str]
_Builder = Callable[[Texts, Items, Labels], Statistic]


def statistic(
    name: str, predictions: Texts, references: Items, labels: Labels, *, questions: Sequence[str] | None = None
) -> Statistic:
    """A metric's number as a function of the items' weights.

    Of a ``questions`` metric, weights must be equal within a question: resample whole questions, or larger groups.

    Raises:
        ValueError: the metric is unknown, or its rows cannot be scored.

    >>> both = statistic("macro_f1", ["yes", "yes"], [["yes"], ["no"]], ["no", "yes"])
    >>> both(np.array([[1.0, 1.0], [2.0, 0.0]])).round(3).tolist()
    [0.333, 0.5]
    """
    check(predictions, references, labels)
    if name in registry.BY_QUESTION:
        return _questions(predictions, references, labels, questions or [])
    if name in MEANS:
        return _mean(item_values(name, predictions, references, labels))
    if name not in _OTHERS:
        raise ValueError(f"unknown metric '{name}'; allowed: {', '.join((*MEANS, *_OTHERS, *registry.BY_QUESTION))}")
    return _OTHERS[name](predictions, references, labels)


def item_values(name: str, predictions: Texts, references: Items, labels: Labels) -> Array:
    """What each item scores in a metric of ``MEANS``: their mean is the metric.

    >>> item_values("token_f1", ["the New York Times", "Rome"], [["New York"], ["Rome"]], []).tolist()
    [0.8, 1.0]
    """
    metric = registry.METRICS[name]
    values = [metric([text], [item], labels)[name] for text, item in zip(predictions, references, strict=True)]
    return np.asarray(values, dtype=np.float64)


def _mean(values: Array) -> Statistic:
    return Sums(np.column_stack([values, np.ones(len(values))]), lambda sums: sums[:, 0] / sums[:, 1])


def _questions(predictions: Texts, references: Items, labels: Labels, questions: Sequence[str]) -> Statistic:
    """A question counts as often as its first item does."""
    right = right_questions(predictions, references, labels, questions)
    first = {name: place for place, name in reversed(list(enumerate(questions)))}
    items = np.zeros((len(questions), 2))
    for name, whole in right.items():
        items[first[name]] = whole, 1
    return Sums(items, lambda sums: sums[:, 0] / sums[:, 1])


def _of_labels(combine: Callable[[Array, Array, Array], Array]) -> _Builder:
    """A function of counts by label: right answers, gold labels, and answers (with a last column for invalid ones)."""

    def build(predictions: Texts, references: Items, labels: Labels) -> Statistic:
        gold, answers = map(np.asarray, positions(predictions, references, labels))
        k = len(labels)
        given, answered = np.eye(k)[gold], np.eye(k + 1)[answers]
        items = np.hstack([given * answered[:, :k], given, answered])
        return Sums(items, lambda sums: combine(sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k :]))

    return build


def _f1(right: Array, gold: Array, answers: Array) -> Array:
    return _ratio(2 * right, gold + answers[:, :-1])


def _recall(right: Array, gold: Array, answers: Array) -> Array:
    return _ratio(_ratio(right, gold).sum(axis=1), (gold > 0).sum(axis=1).astype(np.float64))


def _matthews(right: Array, gold: Array, answers: Array) -> Array:
    n = gold.sum(axis=1)
    shared = n * right.sum(axis=1) - (gold * answers[:, :-1]).sum(axis=1)
    return _ratio(shared, np.sqrt((n**2 - (gold**2).sum(axis=1)) * (n**2 - (answers**2).sum(axis=1))))


def _ratio(over: Array, under: Array) -> Array:
    """A ratio, and 0 where it is undefined."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _pooled(counts: Callable[[str, Sequence[str]], list[float]], number: Callable[[list[float]], float]) -> _Builder:
    """A function of counts that is not worth writing for whole arrays."""

    def build(predictions: Texts, references: Items, labels: Labels) -> Statistic:
        items = np.array([counts(text, item) for text, item in zip(predictions, references, strict=True)])
        return Sums(items, lambda sums: np.array([number(row) for row in sums.tolist()]))

    return build


MEANS = (
    "accuracy",
    "invalid_rate",
    "number_accuracy",
    "format_rate",
    "equation_accuracy",
    "equation_consistency",
    "invalid_number_rate",
    "exact_match",
    "exact_answer",
    "token_f1",
    "rouge1",
    "rouge2",
    "rougeL",
    "parses",
)
"""The metrics that are the mean of what the single items score."""

RIGHT_OR_WRONG = frozenset(MEANS) - {"token_f1", "rouge1", "rouge2", "rougeL"}
"""Those in which an item scores 0 or 1."""

_OTHERS: dict[str, _Builder] = {
    "macro_f1": _of_labels(lambda *counts: _f1(*counts).mean(axis=1)),
    "binary_f1": _of_labels(lambda *counts: _f1(*counts)[:, 1]),
    "f1a": _of_labels(lambda *counts: _f1(*counts)[:, 1]),
    "per_class": _of_labels(_recall),
    "mcc": _of_labels(_matthews),
    "pearson": pearson,
    "spearman": spearman,
    "rmse": rmse,
    "bleu": _pooled(bleu_counts, bleu_of),
    "codebleu": _pooled(item_counts, lambda sums: scores_of(sums)["codebleu"]),
}
