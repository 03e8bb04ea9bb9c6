"""Metrics as functions of the items' weights, by name; see ``statistic`` for what that is. They need numpy."""

from collections.abc import Callable

from peft_pipelines.evaluation.metrics.weighted import labels, ngrams, numbers
from peft_pipelines.evaluation.metrics.weighted.statistic import Statistic

BUILDERS: dict[str, Callable[..., Statistic]] = {
    "macro_f1": labels.macro_f1,
    "binary_f1": labels.binary_f1,
    "per_class": labels.per_class,
    "mcc": labels.mcc,
    "exact_question": labels.exact_question,
    "f1m": labels.f1m,
    "pearson": numbers.pearson,
    "spearman": numbers.spearman,
    "rmse": numbers.rmse,
    "bleu": ngrams.bleu,
    "codebleu": ngrams.codebleu,
}
"""From a metric's own arguments (predictions, references, labels and, for some, questions) to its statistic."""
