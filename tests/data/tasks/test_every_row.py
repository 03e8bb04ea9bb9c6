"""What each task row makes of a raw row that is made from it: prompt and answers, whatever kind of task it is."""

import re

import base_rows
import pyarrow as pa
import pytest
from made_rows import made_row

from peft_pipelines.config import fill
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, adapt_row, instruct

NAMES = sorted(base_rows.TASKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_raw_row_becomes_instruction_text_and_answers(name: str) -> None:
    task, row = base_rows.task_of(name), made_row(name)
    splits = [split for split in (task.splits.train, task.splits.validation, task.splits.test) if split]
    other = {column: f"{value} more" if isinstance(value, str) else value for column, value in row.items()}
    made = adapt({split: pa.Table.from_pylist([row, other]) for split in splits}, task, base_rows.ALL_ROWS)
    (first, *_) = instruct(made, task)["test"].to_pylist()
    assert first["prompt"] == f"{task.instruction}\n\n{fill(task.input, row).strip()}"
    expected = {
        task.label: [task.label_words[0]] if task.labels else [],
        task.target: [fill(task.target or "", row)],
        task.references: ["one answer", "another"],
    }
    assert first["references"] == expected[task.label or task.target or task.references]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_column_is_named(name: str) -> None:
    task, row = base_rows.task_of(name), made_row(name)
    for column in task.columns():
        rest = {key: value for key, value in row.items() if key != column}
        with pytest.raises(ConfigError, match=f"^task '{name}', train row 0: unknown column '{re.escape(column)}'"):
            adapt_row(rest, task, "train row 0")


@pytest.mark.parametrize("name", [name for name in NAMES if base_rows.TASKS[name].get("labels")])
def test_each_label_word_stands_in_the_instruction(name: str) -> None:
    task = base_rows.task_of(name)
    assert [word for word in task.label_words if word not in task.instruction] == []
