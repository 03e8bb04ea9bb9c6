"""Pure functions from predictions and references to numbers. A task row names the ones that it reports."""

from collections.abc import Callable, Sequence

from peft_pipelines.evaluation.metrics.baselines import majority_answer
from peft_pipelines.evaluation.metrics.bleu import bleu
from peft_pipelines.evaluation.metrics.classification import (
    accuracy,
    binary_f1,
    f1a,
    invalid_rate,
    macro_f1,
    mcc,
    per_class,
)
from peft_pipelines.evaluation.metrics.codebleu import codebleu
from peft_pipelines.evaluation.metrics.math import equation_accuracy, equation_consistency, format_rate, number_accuracy
from peft_pipelines.evaluation.metrics.multirc import exact_question
from peft_pipelines.evaluation.metrics.normalize import NORMALISER_VERSION, check, normalise
from peft_pipelines.evaluation.metrics.pscp import pscp
from peft_pipelines.evaluation.metrics.regression import invalid_number_rate, pearson, rmse, spearman
from peft_pipelines.evaluation.metrics.text import exact_answer, exact_match, parses, rouge1, rouge2, rougeL, token_f1

__all__ = [
    "BY_QUESTION",
    "METRICS",
    "NAMES",
    "NORMALISER_VERSION",
    "Metric",
    "QuestionMetric",
    "majority_answer",
    "normalise",
    "pscp",
    "score",
]

# (predictions, right answers of each item, label words or none) -> numbers; the first is named like the metric
Metric = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[str]], dict[str, float]]

METRICS: dict[str, Metric] = {
    function.__name__: function
    for function in (
        accuracy,
        macro_f1,
        binary_f1,
        f1a,
        per_class,
        invalid_rate,
        mcc,
        number_accuracy,
        format_rate,
        equation_accuracy,
        equation_consistency,
        pearson,
        spearman,
        rmse,
        invalid_number_rate,
        exact_match,
        exact_answer,
        token_f1,
        rouge1,
        rouge2,
        rougeL,
        bleu,
        codebleu,
        parses,
    )
}

# the same, and of each item the name of the question that it belongs to
QuestionMetric = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[str], Sequence[str]], dict[str, float]]

BY_QUESTION: dict[str, QuestionMetric] = {function.__name__: function for function in (exact_question,)}
NAMES = (*METRICS, *BY_QUESTION)


def score(
    names: Sequence[str],
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    questions: Sequence[str] | None = None,
) -> dict[str, float]:
    """The numbers of the named metrics over a whole split, and ``n``, the count of its items.

    ``questions`` says which question each item belongs to; the metrics of ``BY_QUESTION`` need it.

    >>> score(["accuracy", "invalid_rate"], ["yes", "Yes"], [["yes"], ["yes"]], ["no", "yes"])
    {'accuracy': 0.5, 'invalid_rate': 0.5, 'n': 2.0}
    """
    check(predictions, references, labels)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ValueError(f"unknown metric '{unknown[0]}'; allowed: {', '.join(NAMES)}")
    numbers: dict[str, float] = {}
    for name in names:
        if name in METRICS:
            numbers |= METRICS[name](predictions, references, labels)
        elif questions is None:
            raise ValueError(f"metric '{name}' needs the questions that the items belong to")
        else:
            numbers |= BY_QUESTION[name](predictions, references, labels, questions)
    return numbers | {"n": float(len(predictions))}
