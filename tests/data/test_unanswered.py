"""Rows without their right answer have the prompts of the same rows with it, for each task of the configuration."""

from typing import Any

import pytest
from base_rows import ALL_ROWS, PROJECT, TASKS, task_of

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data import preprocess
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.unanswered import ANSWERS, GROUPS, answer_columns, examples, row_of_text
from peft_pipelines.storage.splits import RowsFolder, Splits

SAMPLES = PROJECT / "data/01_raw/samples"
NEITHER = "task 'sst2', row 1: unknown column 'sentence'. Allowed: text"


def samples(name: str) -> Splits:
    """The sample rows of a task, which a new row need not bring."""
    if not (SAMPLES / name).is_dir():
        pytest.skip(f"no sample rows at {SAMPLES / name}")
    return RowsFolder(filepath=str(SAMPLES / name)).load()


def answered(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The raw test rows of a task that have an answer, and the lines that the pipeline makes of them."""
    raw, task = samples(name), task_of(name)
    lines = instruct(adapt(raw, task, ALL_ROWS), task)["test"].to_pylist()
    rows = raw[task.splits.test].to_pylist()
    if task.references:
        rows = [row for row in rows if preprocess.FUNCTIONS[task.preprocess or ""](row)[task.references]]
    return rows, [{key: value for key, value in line.items() if key != "tests"} for line in lines]


@pytest.mark.parametrize("name", sorted(TASKS))
def test_answered_rows_are_the_lines_of_the_prompts(name: str) -> None:
    rows, lines = answered(name)
    assert examples(rows, task_of(name), rows[0].keys()) == lines


@pytest.mark.parametrize("name", sorted(TASKS))
def test_unanswered_rows_have_the_same_prompts(name: str) -> None:
    (rows, lines), task = answered(name), task_of(name)
    hidden = answer_columns(task) | GROUPS.get(task.preprocess or "", {}).keys()
    assert hidden & rows[0].keys()
    bare = [{column: value for column, value in row.items() if column not in hidden} for row in rows]
    kept = ("prompt", "choices", "context")
    expected = [{key: line[key] for key in kept if key in line} for line in lines]
    assert examples(bare, task, bare[0].keys()) == expected


def test_each_stand_in_is_of_a_function_that_there_is() -> None:
    assert {*ANSWERS, *GROUPS} <= preprocess.FUNCTIONS.keys()


def test_half_of_the_answers_is_refused() -> None:
    rows = [{"sentence": "fun", "label": 1}, {"sentence": "dull", "label": None}]
    with pytest.raises(ConfigError, match="row 2: column 'label' is null"):
        examples(rows, task_of("sst2"), ["sentence", "label"])


def test_a_text_is_the_row_of_a_task_with_one_column() -> None:
    assert row_of_text("fun", task_of("sst2")) == {"sentence": "fun"}
    with pytest.raises(ConfigError, match="its input has the columns premise, question, choice1, choice2; give rows"):
        row_of_text("fun", task_of("copa"))
    squeezed = task_of("sst2").model_copy(update={"preprocess": "squeeze_blanks"})
    with pytest.raises(ConfigError) as made:
        row_of_text("fun", squeezed)
    assert str(made.value) == (
        "task 'sst2': its preprocess 'squeeze_blanks' makes the input of raw columns; give rows, not texts"
    )
    with pytest.raises(ConfigError) as caught:
        examples([{"text": "fun"}], task_of("sst2"), ["text"])
    assert str(caught.value) == NEITHER
