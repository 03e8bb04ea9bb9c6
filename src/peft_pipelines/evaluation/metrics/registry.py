"""The registry of metrics: all that the program knows of a metric is its row here."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

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
from peft_pipelines.evaluation.metrics.extraction import flexible_extract, strict_match
from peft_pipelines.evaluation.metrics.math import equation_accuracy, equation_consistency, format_rate, number_accuracy
from peft_pipelines.evaluation.metrics.metric import OF_TEXT, ItemScore, Kind, Metric, Quantity, Resampling
from peft_pipelines.evaluation.metrics.multiple_choice import acc, acc_norm, likeliest, likeliest_per_character
from peft_pipelines.evaluation.metrics.multirc import exact_question, f1m
from peft_pipelines.evaluation.metrics.normalize import check
from peft_pipelines.evaluation.metrics.regression import closeness, invalid_number_rate, pearson, rmse, spearman
from peft_pipelines.evaluation.metrics.text import exact_answer, exact_match, parses, rouge1, rouge2, rougeL, token_f1
from peft_pipelines.evaluation.metrics.unit import ANSWERS, CORRELATION, COUNT

if TYPE_CHECKING:
    from peft_pipelines.evaluation.metrics.weighted.statistic import Statistic

SHARE, MEAN, WHOLE_SPLIT, QUESTIONS = Resampling
LABELS, TWO_LABELS, TEXT, NUMBERS, SOLUTIONS, EQUATIONS, CODE = Kind


def weighted(name: str) -> "Callable[..., Statistic]":
    """The builder of a weighted statistic by its name, imported at its first use: a list of metrics needs no numpy."""

    def build(*rows: Any) -> "Statistic":
        from peft_pipelines.evaluation.metrics.weighted import BUILDERS  # noqa: PLC0415

        return BUILDERS[name](*rows)

    return build


def of_one_item(function: Callable[..., dict[str, float]]) -> ItemScore:
    """A metric of the whole split as a score of a single answer."""
    return lambda prediction, references, labels: function([prediction], [references], labels)[function.__name__]


_ROWS = (
    Metric(accuracy, SHARE, (LABELS, *OF_TEXT)),
    Metric(acc, SHARE, (LABELS,), pick=likeliest),
    Metric(acc_norm, SHARE, (LABELS,), pick=likeliest_per_character),
    Metric(macro_f1, WHOLE_SPLIT, (LABELS,), weighted=weighted("macro_f1")),
    Metric(binary_f1, WHOLE_SPLIT, (TWO_LABELS,), weighted=weighted("binary_f1")),
    Metric(f1a, WHOLE_SPLIT, (TWO_LABELS,), weighted=weighted("binary_f1")),
    Metric(per_class, WHOLE_SPLIT, (LABELS,), weighted=weighted("per_class")),
    Metric(invalid_rate, SHARE, (LABELS,), higher_is_better=False, primary=False, counts_invalid=True),
    Metric(mcc, WHOLE_SPLIT, (LABELS,), unit=CORRELATION, weighted=weighted("mcc")),
    Metric(number_accuracy, SHARE, (SOLUTIONS, NUMBERS)),
    Metric(strict_match, SHARE, (SOLUTIONS,)),
    Metric(flexible_extract, SHARE, (SOLUTIONS, NUMBERS)),
    Metric(format_rate, SHARE, (SOLUTIONS,), primary=False),
    Metric(equation_accuracy, SHARE, (EQUATIONS,)),
    Metric(equation_consistency, SHARE, (EQUATIONS,), primary=False),
    Metric(pearson, WHOLE_SPLIT, (NUMBERS,), unit=CORRELATION, weighted=weighted("pearson"), item_score=closeness),
    Metric(
        spearman,
        WHOLE_SPLIT,
        (NUMBERS,),
        unit=CORRELATION,
        weighted=weighted("spearman"),
        slow=True,
        item_score=closeness,
    ),
    Metric(
        rmse,
        WHOLE_SPLIT,
        (NUMBERS,),
        unit=ANSWERS,
        higher_is_better=False,
        weighted=weighted("rmse"),
        item_score=closeness,
    ),
    Metric(invalid_number_rate, SHARE, (NUMBERS,), higher_is_better=False, primary=False, counts_invalid=True),
    Metric(exact_match, SHARE, OF_TEXT),
    Metric(exact_answer, SHARE, OF_TEXT),
    Metric(token_f1, MEAN, OF_TEXT),
    Metric(rouge1, MEAN, OF_TEXT, slow=True),
    Metric(rouge2, MEAN, OF_TEXT, slow=True),
    Metric(rougeL, MEAN, OF_TEXT, slow=True),
    Metric(bleu, WHOLE_SPLIT, OF_TEXT, weighted=weighted("bleu"), slow=True, item_score=of_one_item(bleu)),
    Metric(codebleu, WHOLE_SPLIT, (CODE,), weighted=weighted("codebleu"), slow=True, item_score=of_one_item(codebleu)),
    Metric(parses, SHARE, (CODE,), primary=False),
    Metric(exact_question, QUESTIONS, (LABELS, *OF_TEXT), weighted=weighted("exact_question")),
    Metric(f1m, QUESTIONS, (TWO_LABELS,), weighted=weighted("f1m")),
)

METRICS: dict[str, Metric] = {row.name: row for row in _ROWS}
"""A task's row names metrics of this table. A new one needs its function and its row in ``_ROWS``, nothing else."""

BESIDE: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(name="n", unit=COUNT),
        Quantity(name="pass_n", unit=COUNT),
        Quantity(name="ece", higher_is_better=False),
        Quantity(name="cut_off_rate", higher_is_better=False),
    )
}
"""Numbers that come with a cell's scores unasked and are no shares of which more is better."""


def quantity(name: str) -> Quantity:
    """Unit and direction of any number among a cell's scores; a share where nothing else is known.

    >>> quantity("rmse").unit.name, quantity("label_accuracy").unit.name
    ('unit of the answers', 'share')
    """
    return METRICS.get(name) or BESIDE.get(name) or Quantity(name=name)


def metric(name: str) -> Metric:
    """A metric's row.

    Raises:
        ValueError: there is none of this name; lists those that there are.
    """
    if name not in METRICS:
        raise ValueError(f"unknown metric '{name}'; allowed: {', '.join(METRICS)}")
    return METRICS[name]


def score(
    names: Sequence[str],
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    questions: Sequence[str] | None = None,
) -> dict[str, float]:
    """The numbers of the named metrics over a whole split, and ``n``, the count of its items.

    Args:
        names: metrics of the registry.
        predictions: the answer to each item.
        references: the right answers of each item.
        labels: the task's label words, none for free text.
        questions: the question of each item, for the metrics that are resampled by it.

    Raises:
        ValueError: a metric is unknown, or the rows cannot be scored.

    >>> score(["accuracy", "invalid_rate"], ["yes", "Yes"], [["yes"], ["yes"]], ["no", "yes"])
    {'accuracy': 0.5, 'invalid_rate': 0.5, 'n': 2.0}
    """
    check(predictions, references, labels)
    chosen = [metric(name) for name in names]
    numbers: dict[str, float] = {}
    for one in chosen:
        numbers |= one.function(predictions, references, labels, *_questions(one, questions))
    return numbers | {"n": float(len(predictions))}


def _questions(one: Metric, questions: Sequence[str] | None) -> list[Sequence[str]]:
    """The function's fourth argument, where it takes one."""
    if one.resampling is not QUESTIONS:
        return []
    if questions is None:
        raise ValueError(f"metric '{one.name}' needs the questions that the items belong to")
    return [questions]
