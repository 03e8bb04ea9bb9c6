"""Metrics of label words, and of questions, as statistics of weighted items."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from peft_pipelines.evaluation.metrics.classification import positions
from peft_pipelines.evaluation.metrics.multirc import question_shares, right_questions
from peft_pipelines.evaluation.metrics.weighted.statistic import Array, Statistic, Sums, ratio

Texts = Sequence[str]
Items = Sequence[Sequence[str]]
Labels = Sequence[str]


def macro_f1(predictions: Texts, references: Items, labels: Labels) -> Statistic:
    """Mean of the labels' F1."""
    return _of_counts(predictions, references, labels, lambda *counts: _f1(*counts).mean(axis=1))


def binary_f1(predictions: Texts, references: Items, labels: Labels) -> Statistic:
    """F1 of the second label."""
    return _of_counts(predictions, references, labels, lambda *counts: _f1(*counts)[:, 1])


def per_class(predictions: Texts, references: Items, labels: Labels) -> Statistic:
    """Balanced accuracy: mean recall of the labels that are right in at least one item."""
    return _of_counts(predictions, references, labels, _recall)


def mcc(predictions: Texts, references: Items, labels: Labels) -> Statistic:
    """Matthews correlation."""
    return _of_counts(predictions, references, labels, _matthews)


def exact_question(predictions: Texts, references: Items, labels: Labels, questions: Sequence[str]) -> Statistic:
    """Share of right questions; a question counts as often as its first item does."""
    right = right_questions(predictions, references, labels, questions)
    items = _at_first(questions, {name: (float(whole),) for name, whole in right.items()})
    return Sums(items, lambda sums: sums[:, 0] / sums[:, 1])


def f1m(predictions: Texts, references: Items, labels: Labels, questions: Sequence[str]) -> Statistic:
    """Harmonic mean of the questions' mean precision and mean recall; see ``exact_question``."""
    items = _at_first(questions, question_shares(predictions, references, labels, questions))
    return Sums(items, lambda sums: ratio(2 * sums[:, 0] * sums[:, 1], (sums[:, 0] + sums[:, 1]) * sums[:, 2]))


def _at_first(questions: Sequence[str], values: Mapping[str, tuple[float, ...]]) -> Array:
    """Each question's values, and a last 1, at the place of its first item; 0 elsewhere."""
    first = {name: place for place, name in reversed(list(enumerate(questions)))}
    items = np.zeros((len(questions), 1 + len(next(iter(values.values())))))
    for name, numbers in values.items():
        items[first[name]] = (*numbers, 1)
    return items


def _of_counts(
    predictions: Texts, references: Items, labels: Labels, combine: Callable[[Array, Array, Array], Array]
) -> Statistic:
    """A function of counts by label: right answers, gold labels, and answers (with a last column for invalid ones)."""
    gold, answers = map(np.asarray, positions(predictions, references, labels))
    k = len(labels)
    given, answered = np.eye(k)[gold], np.eye(k + 1)[answers]
    items = np.hstack([given * answered[:, :k], given, answered])
    return Sums(items, lambda sums: combine(sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k :]))


def _f1(right: Array, gold: Array, answers: Array) -> Array:
    return ratio(2 * right, gold + answers[:, :-1])


def _recall(right: Array, gold: Array, answers: Array) -> Array:
    return ratio(ratio(right, gold).sum(axis=1), (gold > 0).sum(axis=1).astype(np.float64))


def _matthews(right: Array, gold: Array, answers: Array) -> Array:
    n = gold.sum(axis=1)
    shared = n * right.sum(axis=1) - (gold * answers[:, :-1]).sum(axis=1)
    return ratio(shared, np.sqrt((n**2 - (gold**2).sum(axis=1)) * (n**2 - (answers**2).sum(axis=1))))
