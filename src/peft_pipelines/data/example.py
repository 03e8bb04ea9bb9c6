"""One raw row to one example: preprocessing, templates, references, and digests of its groups."""

import hashlib
from typing import Any

from peft_pipelines.config import TaskSpec, fill, template_fields
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data import preprocess

GROUP_COLUMNS = ("group", "question")
"""Columns with a digest of what the template of the same name gives: equal for examples that belong together."""


def adapt_row(row: preprocess.Row, task: TaskSpec, where: str) -> dict[str, Any]:
    """Return one raw example as input and references.

    With the template ``{sentence}`` and labels 0: bad, 1: good, ``{"sentence": "fun", "label": 1}`` becomes
    ``{"input": "fun", "references": ["good"]}``.

    Args:
        row: the raw columns.
        task: the task's row.
        where: the place of the example, for errors.

    Raises:
        ConfigError: a column is missing or null, the label is unknown or hidden, input or answer is empty.
    """
    row = preprocessed(row, task, where)
    for column in task.columns():
        if column not in row:
            raise unknown(f"task '{task.name}', {where}", "column", column, row)
        if row[column] is None:  # a template would write None
            raise ConfigError(f"task '{task.name}', {where}: column '{column}' is null, it must hold a value")
    text = _fill(task.input, row)
    references = references_of(row, task, where)
    if not text or not references or not all(references):
        raise ConfigError(f"task '{task.name}', {where}: empty {'input' if not text else 'answer'}")
    return {"input": text, "references": references, **group_digests(row, task)}


def group_digests(row: preprocess.Row, task: TaskSpec) -> dict[str, str]:
    """Return the first 16 digits of the SHA-256 of each text in ``GROUP_COLUMNS`` that the task's row has."""
    texts = {name: fill(getattr(task, name), row) for name in GROUP_COLUMNS if getattr(task, name)}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}


def preprocessed(row: preprocess.Row, task: TaskSpec, where: str) -> preprocess.Row:
    """Return a raw row with the columns of the task's ``preprocess``.

    Raises:
        ConfigError: the function needs a column that is missing, or cannot work with a value.
    """
    if not task.preprocess:
        return row
    where = f"task '{task.name}', {where}, preprocess {task.preprocess}"
    try:
        return preprocess.FUNCTIONS[task.preprocess](row)
    except KeyError as missing:
        raise unknown(where, "column", missing.args[0], row) from None
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None


def _fill(template: str, row: preprocess.Row) -> str:
    """The template's text; empty where all of its columns are blank."""
    blank = not any(str(row[column]).strip() for column in template_fields(template))
    return "" if blank else fill(template, row).strip()


def references_of(row: preprocess.Row, task: TaskSpec, where: str) -> list[str]:
    """Return the right answers of a preprocessed row.

    Raises:
        ConfigError: the label is hidden or unknown, or the column of references holds no list.
    """
    if task.labels and task.label:
        value = row[task.label]
        where = f"task '{task.name}', {where}"
        if value in (-1, ""):
            allowed = ", ".join(map(str, task.labels))
            raise ConfigError(
                f"{where}: label '{value}' is a hidden test label, score another split. Allowed: {allowed}"
            )
        if not isinstance(value, int | str) or value not in task.labels:
            raise unknown(where, "label", value, task.labels)
        return [task.labels[value]]
    if task.target:
        return [_fill(task.target, row)]
    answers = row[str(task.references)]
    if not isinstance(answers, list):
        raise ConfigError(
            f"task '{task.name}', {where}: column '{task.references}' must be a list, got {answers!r:.80}"
        )
    return [str(answer).strip() for answer in answers]
