"""What a reader should know of raw rows before a task is made of them: duplicates, contradictions, rare labels."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.label_words import differ_without_case
from peft_pipelines.config.template import template_fields
from peft_pipelines.data.overlap import normalised

FEW_TESTS: Final = 50
FEW_OF_A_LABEL: Final = 5
NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
"""What stands for a number where it is all of a text."""


def facts(adapted: dict[str, pa.Table], task: TaskSpec) -> Iterator[str]:
    """Yield a sentence for each thing that is noteworthy about the examples of a task.

    Args:
        adapted: the parts, with ``input`` and ``references``.
        task: the task's row.
    """
    parts = {name: table.to_pylist() for name, table in adapted.items()}
    every = [row for rows in parts.values() for row in rows]
    shown = [column for column in template_fields(task.input) if column in _answer_columns(task)]
    if shown:
        yield f"the input shows column {', '.join(map(repr, shown))}, which the answer is made of: models can copy it"
    yield from _repeats(every)
    trained = {normalised(row["input"]) for row in parts["train"]}
    seen = sum(normalised(row["input"]) in trained for row in parts["test"])
    if seen:
        yield f"test inputs that occur in training too: {seen} of {len(parts['test'])}; scores will flatter"
    if len(parts["test"]) < FEW_TESTS:
        yield f"rows to test: {len(parts['test'])}, which is few; intervals will be wide"
    if task.labels:
        yield from _labels(parts, task)


def _answer_columns(task: TaskSpec) -> list[str]:
    """The raw columns of the right answer."""
    return [task.label or "", task.references or "", *template_fields(task.target or "")]


def _repeats(rows: list[dict[str, Any]]) -> Iterator[str]:
    answers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        answers[normalised(row["input"])].add(row["references"][0])
    if len(answers) < len(rows):
        yield f"rows that repeat the input of another one: {len(rows) - len(answers)} of {len(rows)}"
    torn = sum(len(given) > 1 for given in answers.values())
    if torn:
        yield f"inputs with more than one answer: {torn}; nothing can learn both"


def _labels(parts: dict[str, list[dict[str, Any]]], task: TaskSpec) -> Iterator[str]:
    counts = Counter(row["references"][0] for row in parts["train"])
    few = [word for word in task.label_words if counts[word] < FEW_OF_A_LABEL]
    if few:
        yield f"labels with few rows to train on: {', '.join(f'{word!r} ({counts[word]})' for word in few)}"
    if not differ_without_case(task.label_words):
        yield "labels that differ in case alone are different labels: an answer must have the right case"
    if all(NUMBER.fullmatch(word) for word in task.label_words):
        yield "the labels are numbers: a word for each, such as 0=negative, tells a model what it means"
    unnamed = [word for word in task.label_words if word not in task.instruction]
    if unnamed:
        yield f"the instruction does not name the label {', '.join(map(repr, unnamed))}: models must guess the word"
