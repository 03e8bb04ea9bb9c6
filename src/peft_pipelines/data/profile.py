"""A task's part of the data report: sizes, lengths, balance, duplicates, leaks, and the scores of guessing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from peft_pipelines.config import ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.data.overlap import normalised, overlap
from peft_pipelines.data.tokenize import Prompter, training_examples
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.baselines import majority_answer
from peft_pipelines.evaluation.score import questions_of, random_task_scores, right_answers
from peft_pipelines.models.folder import folder_of
from peft_pipelines.storage.splits import Splits

UNLIMITED = 1_000_000_000
EXAMPLES = 3

Rows = list[dict[str, Any]]


def profile(
    adapted: Splits, prompts: Splits, task: TaskSpec, model: ModelSpec, training_args: TrainingSpec, weights: Path
) -> dict[str, Any]:
    """Return the data report of one task, with lengths in the tokens of one model.

    By split: the number of examples, label shares, tokens of prompt and answer before truncation, the share of
    examples that are truncated, those that hold the text of a control token, repeated inputs. Between training and
    the other splits: inputs that are equal or nearly so. The primary scores of always giving the majority answer
    and, where there are labels, of drawing one at random: those of the rows ``majority`` and ``random`` of the
    results. Three examples as the model sees them, the part with loss in ⟦ ⟧.

    Args:
        adapted: the splits with inputs and references.
        prompts: the same with prompts.
        task: the task's row.
        model: the row of the model whose tokens are counted.
        training_args: the run's training arguments, for the length limit.
        weights: the catalog's folder of the model's files.
    """
    from peft_pipelines.models import gate  # noqa: PLC0415  (loads torch, and Kedro imports this module for each run)

    folder = folder_of(model, weights)
    prompter = Prompter.of(model, gate.tokenizer(model, folder), task.limit(training_args))
    inputs = {name: [row["input"] for row in table.to_pylist()] for name, table in adapted.items()}
    rows = {name: table.to_pylist() for name, table in prompts.items()}
    whole = {name: training_examples(replace(prompter, max_length=UNLIMITED), part) for name, part in rows.items()}
    room = {name: 0 if name == "train" else task.max_new_tokens for name in rows}
    majority = majority_answer([row["references"] for row in rows["train"]])
    return {
        "task": task.name,
        "tokens_of": model.name,
        "max_length": prompter.max_length,
        "rows": {name: len(part) for name, part in rows.items()},
        "balance": {name: label_shares(part) for name, part in rows.items()} if task.labels else {},
        "prompt_tokens": {name: percentiles([len(row.prompt) for row in part]) for name, part in whole.items()},
        "answer_tokens": {name: percentiles([len(row.answer) for row in part]) for name, part in whole.items()},
        "truncated_share": {
            name: truncated_share(part, prompter.max_length, room[name]) for name, part in whole.items()
        },
        "left_out": sum(not prompter.fits(row["references"][0]) for row in rows["train"]),
        "control_text": {name: sum(row.as_text for row in part) for name, part in whole.items()},
        "duplicates": {name: len(part) - len(set(map(normalised, part))) for name, part in inputs.items()},
        "in_train": {name: overlap(inputs["train"], part) for name, part in inputs.items() if name != "train"},
        "metric": task.primary,
        "majority": primary_metric(rows["test"], task)([majority] * len(rows["test"]))[task.primary],
        "random": random_task_scores(rows["test"], task, [task.primary]).get(task.primary),
        "examples": [
            with_loss_in_brackets(row, prompter) for row in training_examples(prompter, rows["train"][:EXAMPLES])
        ],
    }


def truncated_share(rows: Sequence[Encoded], max_length: int, room: int) -> float:
    """Return the share of examples, 0 to 1, whose prompt does not fit whole beside its answer or ``room`` tokens."""
    return float(np.mean([len(row.prompt) + (room or len(row.answer)) > max_length for row in rows]))


def label_shares(rows: Rows) -> dict[str, float]:
    """Return the share of each label, from 0 to 1.

    >>> label_shares([{"references": ["yes"]}, {"references": ["no"]}])
    {'no': 0.5, 'yes': 0.5}
    """
    counts = Counter(row["references"][0] for row in rows)
    return {label: counts[label] / len(rows) for label in sorted(counts)}


def percentiles(numbers: list[int]) -> dict[str, float]:
    """Return median, 95th percentile and maximum.

    >>> percentiles([1, 2, 3])
    {'median': 2.0, 'p95': 2.9, 'max': 3.0}
    """
    values = np.asarray(numbers, dtype=float)
    p95 = round(float(np.percentile(values, 95)), 1)
    return {"median": float(np.median(values)), "p95": p95, "max": float(values.max())}


def primary_metric(test: Rows, task: TaskSpec) -> Callable[[list[str]], dict[str, float]]:
    """Return the task's primary metric as a function of the answers to its test examples."""
    questions, references = questions_of(test, task), right_answers(test)
    return lambda answers: registry.score([task.primary], answers, references, task.label_words, questions=questions)


def with_loss_in_brackets(row: Encoded, prompter: Prompter) -> str:
    """Return an example's text as the model sees it, the part that the loss covers in ⟦ ⟧."""
    decode = prompter.tokenizer.decode
    return f"{decode(row.prompt)}⟦{decode(row.answer)}⟧"
