"""The column of test cases of programming problems, kept beside the prompts of the test split."""

import pyarrow as pa

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data import preprocess
from peft_pipelines.evaluation.metrics.pass_rate import Cases

COLUMN = "tests"


def with_cases(table: pa.Table, rows: list[preprocess.Row], task: TaskSpec) -> pa.Table:
    """Return the table with a column ``tests`` where the task's row names one: each row's cases as they are, or null.

    Args:
        table: the adapted test split.
        rows: the raw rows of it.

    Raises:
        ConfigError: a row's cases cannot be read, or no row has any.
    """
    if not task.tests:
        return table
    texts = [_cases(row[task.tests], f"task '{task.name}', test row {number}") for number, row in enumerate(rows)]
    if not any(texts):
        raise ConfigError(f"task '{task.name}', tests: no test row has cases in column '{task.tests}'")
    return table.append_column(COLUMN, pa.array(texts, pa.string()))


def check_cases(table: pa.Table, task: TaskSpec) -> None:
    """Raise ConfigError where the test split lacks the column of cases that the task's row names."""
    columns = table.column_names
    if task.tests and task.tests not in columns:
        raise unknown(f"task '{task.name}', split '{task.splits.scored}', tests", "column", task.tests, columns)


def _cases(text: object, where: str) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise ConfigError(f"{where}, tests: test cases must be a text, got {text!r:.80}")
    try:
        Cases.of(text)
    except ValueError as error:
        raise ConfigError(f"{where}, tests: {error}") from None
    return text
