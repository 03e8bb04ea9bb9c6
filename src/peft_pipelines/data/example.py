"""One raw row to one example: preprocessing, templates, references, and digests of its groups."""

import hashlib
from typing import Any

from peft_pipelines.config import TaskSpec, fill, template_fields
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.label_keys import word_of
from peft_pipelines.data import preprocess
from peft_pipelines.data.choices import choice_columns
from peft_pipelines.data.values import text_in, texts_in

GROUP_COLUMNS = ("group", "question")
"""Columns with a digest of what the template of the same name gives: equal for examples that belong together."""

GOLD_COLUMN = "gold"
"""The column of the right answer as metrics compare with it, where the task's row has the field of that name."""


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
        if row[column] is None:
            raise ConfigError(f"task '{task.name}', {where}: column '{column}' is null, it must hold a value")
    text = input_text(row, task, where)
    references = references_of(row, task, where)
    if not text or not references or not all(references):
        raise ConfigError(f"task '{task.name}', {where}: empty {'input' if not text else 'answer'}")
    gold = {GOLD_COLUMN: _filled(task.gold, row, task, where)} if task.gold else {}
    if not all(gold.values()):
        raise ConfigError(f"task '{task.name}', {where}: empty gold")
    beside = {**gold, **choice_columns(row, task, where), **group_digests(row, task, where)}
    return {"input": text, "references": references, **beside}


def input_text(row: preprocess.Row, task: TaskSpec, where: str) -> str:
    """Return the input of a preprocessed row; empty where all of its columns are blank.

    Raises:
        ConfigError: a value cannot stand in a text.
    """
    return _filled(task.input, row, task, where)


def group_digests(row: preprocess.Row, task: TaskSpec, where: str) -> dict[str, str]:
    """Return the first 16 digits of the SHA-256 of each text in ``GROUP_COLUMNS`` that the task's row has.

    Raises:
        ConfigError: a value cannot stand in a text.
    """
    templates = {name: getattr(task, name) for name in GROUP_COLUMNS if getattr(task, name)}
    texts = {name: fill(template, _texts(template, row, task, where)) for name, template in templates.items()}
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


def _filled(template: str, row: preprocess.Row, task: TaskSpec, where: str) -> str:
    """The template's text; empty where all of its columns are blank."""
    texts = _texts(template, row, task, where)
    blank = not any(map(str.strip, texts.values()))
    return "" if blank else fill(template, texts).strip()


def _texts(template: str, row: preprocess.Row, task: TaskSpec, where: str) -> dict[str, str]:
    return {column: _text_of(column, row, task, where) for column in template_fields(template)}


def _text_of(column: str, row: preprocess.Row, task: TaskSpec, where: str) -> str:
    try:
        return text_in(row, column)
    except ValueError as error:
        raise ConfigError(f"task '{task.name}', {where}: {error}") from None


def check_kinds(row: preprocess.Row, task: TaskSpec, where: str) -> None:
    """Raise ConfigError for the first column that holds what cannot stand in a text, such as a list; nulls pass.

    Args:
        row: a preprocessed row of a split: all others hold values of the same kinds.
        task: the task's row.
        where: the split, for errors.
    """
    lists = (task.references, task.continuations and task.continuations.column)
    for column in task.columns():
        if row[column] is not None and column not in lists:
            _text_of(column, row, task, where)


def references_of(row: preprocess.Row, task: TaskSpec, where: str) -> list[str]:
    """Return the right answers of a preprocessed row.

    Raises:
        ConfigError: the label is hidden or unknown, or the column of references holds no list of texts.
    """
    if task.labels and task.label:
        return [word_of(task.labels, _text_of(task.label, row, task, where), f"task '{task.name}', {where}")]
    if task.target:
        return [_filled(task.target, row, task, where)]
    try:
        return [text.strip() for text in texts_in(row[str(task.references)], str(task.references))]
    except ValueError as error:
        raise ConfigError(f"task '{task.name}', {where}: {error}") from None
