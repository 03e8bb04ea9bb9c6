"""What a reader should know of a task's rows before trusting a score on them: the data report."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from peft_pipelines.config import ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.data.overlap import key, overlap
from peft_pipelines.data.tokenize import Encoded, Prompter, learnable
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.baselines import majority_answer, random_scores
from peft_pipelines.models import base_model
from peft_pipelines.storage.splits import Splits

UNLIMITED = 1_000_000_000
EXAMPLES = 3

Rows = list[dict[str, Any]]


def profile(
    adapted: Splits, prompts: Splits, task: TaskSpec, model: ModelSpec, training_args: TrainingSpec, weights: Path
) -> dict[str, Any]:
    """The data report of one task, with lengths in the tokens of one model.

    By split: rows, label shares, tokens of prompt and answer before any cut, the share of rows that lose text to the
    length limit or whose answer leaves no room for it, repeated inputs. Between training and the other splits: inputs
    that are equal or nearly so. The primary scores of always giving the majority answer and, where there are labels to
    draw, of drawing one: those of the rows ``majority`` and ``random`` of the results.
    Three rows as the model sees them, the part with loss in ⟦ ⟧.
    """
    folder = base_model.folder_of(model, weights)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    prompter = Prompter(tokenizer, model.chat_template, task.limit(training_args))
    inputs = {name: [row["input"] for row in table.to_pylist()] for name, table in adapted.items()}
    rows = {name: table.to_pylist() for name, table in prompts.items()}
    whole = {name: learnable(replace(prompter, max_length=UNLIMITED), part) for name, part in rows.items()}
    room = {name: 0 if name == "train" else task.max_new_tokens for name in rows}
    majority = majority_answer([row["references"] for row in rows["train"]])
    return {
        "task": task.name,
        "tokens_of": model.name,
        "max_length": prompter.max_length,
        "rows": {name: len(part) for name, part in rows.items()},
        "balance": {name: balance(part) for name, part in rows.items()} if task.labels else {},
        "prompt_tokens": {name: spread([len(row.prompt) for row in part]) for name, part in whole.items()},
        "answer_tokens": {name: spread([len(row.answer) for row in part]) for name, part in whole.items()},
        "truncated_share": {name: cut(part, prompter.max_length, room[name]) for name, part in whole.items()},
        "left_out": sum(not prompter.fits(row["references"][0]) for row in rows["train"]),
        "duplicates": {name: len(part) - len(set(map(key, part))) for name, part in inputs.items()},
        "in_train": {name: overlap(inputs["train"], part) for name, part in inputs.items() if name != "train"},
        "metric": task.primary,
        "majority": primary(rows["test"], task)([majority] * len(rows["test"]))[task.primary],
        "random": random_scores(primary(rows["test"], task), len(rows["test"]), task.label_words).get(task.primary),
        "examples": [marked(row, prompter) for row in learnable(prompter, rows["train"][:EXAMPLES])],
    }


def cut(rows: Sequence[Encoded], max_length: int, room: int) -> float:
    """The share of rows whose prompt does not fit whole beside its answer, or beside the room for one."""
    return float(np.mean([len(row.prompt) + (room or len(row.answer)) > max_length for row in rows]))


def balance(rows: Rows) -> dict[str, float]:
    """The share of each label.

    >>> balance([{"references": ["yes"]}, {"references": ["no"]}, {"references": ["yes"]}, {"references": ["yes"]}])
    {'no': 0.25, 'yes': 0.75}
    """
    counts = Counter(row["references"][0] for row in rows)
    return {label: counts[label] / len(rows) for label in sorted(counts)}


def spread(numbers: list[int]) -> dict[str, float]:
    """Median, 95th percentile and maximum.

    >>> spread([1, 2, 3])
    {'median': 2.0, 'p95': 2.9, 'max': 3.0}
    """
    values = np.asarray(numbers, dtype=float)
    p95 = round(float(np.percentile(values, 95)), 1)
    return {"median": float(np.median(values)), "p95": p95, "max": float(values.max())}


def primary(test: Rows, task: TaskSpec) -> Callable[[list[str]], dict[str, float]]:
    """The task's primary metric as a function of answers to its test rows."""
    questions = [row["question"] for row in test] if task.question else None
    references = [row["references"] for row in test]
    return lambda answers: registry.score([task.primary], answers, references, task.label_words, questions=questions)


def marked(row: Encoded, prompter: Prompter) -> str:
    """A row's text as the model sees it, the part that the loss covers in ⟦ ⟧."""
    decode = prompter.tokenizer.decode
    return f"{decode(row.prompt)}⟦{decode(row.answer)}⟧"
