"""The columns of a task whose labels are scored as continuations: each label's text, and the context."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from peft_pipelines.config import TaskSpec, fill, template_fields
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.label_continuations import ContinuationSpec
from peft_pipelines.data.values import text_in, texts_in

CHOICES, CONTEXT = "choices", "context"
"""The columns: a list of texts in the order of the task's labels, and the text before them where it is no prompt."""


def choice_columns(row: Mapping[str, Any], task: TaskSpec, where: str) -> dict[str, Any]:
    """Return the columns of a preprocessed row; nothing where the task has no continuations.

    With the texts ``{sol1}`` and ``{sol2}``, ``{"sol1": "use soap", "sol2": "use sand"}`` becomes
    ``{"choices": ["use soap", "use sand"]}``.

    Args:
        row: the raw columns, with those of ``preprocess``.
        task: the task's row.
        where: the place of the example, for errors.

    Raises:
        ConfigError: a value cannot stand in a text, a text is blank, or there is not one for each label.
    """
    spec = task.continuations
    if not spec:
        return {}
    where = f"task '{task.name}', {where}, continuations"
    try:
        found = _choices(row, spec, task.label_words)
        context = {CONTEXT: _filled(spec.context, row)} if spec.context else {}
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    if len(found) != len(task.label_words):
        raise ConfigError(f"{where}: must be {len(task.label_words)}, one for each label, got {len(found)}")
    if not all(text.strip() for text in (*found, *context.values())):
        raise ConfigError(f"{where}: must hold text, got {[*found, *context.values()]!r:.80}")
    return {CHOICES: found, **context}


def choice_fields(task: TaskSpec) -> list[tuple[str, pa.DataType]]:
    """Return the names and types of the columns."""
    spec = task.continuations
    context = [(CONTEXT, pa.string())] if spec and spec.context else []
    return [(CHOICES, pa.list_(pa.string())), *context] if spec else []


def _choices(row: Mapping[str, Any], spec: ContinuationSpec, labels: Sequence[str]) -> list[str]:
    if spec.column is not None:
        return texts_in(row[spec.column], spec.column)
    return list(labels) if spec.texts is None else [_filled(text, row) for text in spec.texts]


def _filled(template: str, row: Mapping[str, Any]) -> str:
    return fill(template, {column: text_in(row, column) for column in template_fields(template)})
