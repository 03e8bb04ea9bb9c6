"""A raw row of any task, made from what the task's row of the configuration says."""

from typing import Any

import base_rows
import pytest


def made_row(name: str) -> dict[str, Any]:
    """A raw row with a text in each column of the templates, a label or a list of answers.

    The test is skipped where a function makes the columns: what it reads is in its code, not in the row.
    """
    task = base_rows.task_of(name)
    if task.preprocess:
        pytest.skip(f"task '{name}': no raw row can be made of columns that {task.preprocess} makes")
    row: dict[str, Any] = {column: f"some {column}" for column in task.columns()}
    if task.labels:
        row[str(task.label)] = next(iter(task.labels))
    if task.references:
        row[task.references] = ["one answer", "another"]
    return row
