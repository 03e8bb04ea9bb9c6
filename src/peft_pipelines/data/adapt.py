"""Raw examples to prompts: sampling, templates, references. Text only: nothing here knows a model."""

from typing import Any

import numpy as np
import pyarrow as pa

from peft_pipelines.config import SamplingSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data import preprocess
from peft_pipelines.data.case_columns import check_cases, with_cases
from peft_pipelines.data.choices import choice_fields
from peft_pipelines.data.example import (
    GOLD_COLUMN,
    GROUP_COLUMNS,
    adapt_row,
    check_kinds,
    preprocessed,
    references_of,
)
from peft_pipelines.data.raw_parts import Parts, group_of_each, parts_of, strata
from peft_pipelines.data.sampling import Numbers, draw, draw_blocks, hold_out_groups
from peft_pipelines.storage.splits import Splits


def adapt(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> Splits:
    """Return the sampled examples of each split as two columns: ``input`` (text) and ``references`` (right answers).

    Where the task's row has ``gold``, a column of this name holds its text. Where it has the templates ``group`` and
    ``question``, columns of these names hold digests of their texts; where it has ``continuations``, ``choices`` and
    ``context`` hold theirs. Validation examples are the task's own split or held out of the training split by the split
    seed, label shares kept; all examples of a group stand on one side.

    Raises:
        ConfigError: a split is missing or empty, a template names a column that the data lack, a label is hidden.
    """
    parts = _chosen(raw, task, sampling)
    rows = {part: _rows(raw, split, numbers) for part, (split, numbers) in parts.items()}
    # A row's number is that in its raw split, where a reader looks for it.
    read_as = {task.splits.test: "test", task.splits.validation: "validation", task.splits.train: "train"}
    tables = {
        part: pa.Table.from_pylist(
            [
                adapt_row(row, task, f"{read_as[split]} row {number}")
                for number, row in zip(numbers, rows[part], strict=True)
            ],
            _schema(task),
        )
        for part, (split, numbers) in parts.items()
    }
    return {**tables, "test": with_cases(tables["test"], rows["test"], task)}


def instruct(adapted: Splits, task: TaskSpec) -> Splits:
    """Return the splits with a column ``prompt``, the instruction with the input behind it, in place of ``input``."""
    prompted = {}
    for name, table in adapted.items():
        prompts = [task.prompt(text) for text in table["input"].to_pylist()]
        prompted[name] = table.set_column(0, "prompt", pa.array(prompts, pa.string()))
    return prompted


def _schema(task: TaskSpec) -> pa.Schema:
    groups = [(name, pa.string()) for name in GROUP_COLUMNS if getattr(task, name)]
    gold = [(GOLD_COLUMN, pa.string())] if task.gold else []
    beside = [*gold, *choice_fields(task), *groups]
    return pa.schema([("input", pa.string()), ("references", pa.list_(pa.string())), *beside])


def sample(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> dict[str, list[preprocess.Row]]:
    """Return the sampled raw examples of each split, in original order, as the split seed draws them.

    Single examples are drawn with the shares of their labels; questions and groups are drawn whole, as many as fit.

    Raises:
        ConfigError: as ``check_raw``, or no validation examples can be held out, or none is left to train on.
    """
    parts = _chosen(raw, task, sampling)
    return {part: _rows(raw, split, numbers) for part, (split, numbers) in parts.items()}


def _rows(raw: Splits, split: str, numbers: Numbers) -> list[preprocess.Row]:
    rows: list[preprocess.Row] = raw[split].take(pa.array(numbers)).to_pylist()
    return rows


def _chosen(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> Parts:
    """The raw split and the numbers of the rows in it for each split; errors as for ``sample``."""
    check_raw(raw, task)
    parts, seed = parts_of(raw, task, sampling.split_seed), sampling.split_seed
    tables = {part: raw[split].take(pa.array(numbers)) for part, (split, numbers) in parts.items()}
    train, test, held = tables["train"], tables["test"], "validation" if "validation" in parts else "train"
    chosen = _draw_whole("question", np.arange(test.num_rows), test, task, sampling.test_rows, seed)
    if held == "validation":
        pool, aside = np.arange(train.num_rows), np.arange(tables[held].num_rows)
    else:
        aside = _hold_out(train, task, sampling)
        pool = np.setdiff1d(np.arange(train.num_rows), aside)
    if not len(pool):
        raise ConfigError(
            f"task '{task.name}', split '{task.splits.train}': none of its {raw[task.splits.train].num_rows} rows is "
            "left to train on, all are cut off for validation or test"
        )
    validation = _draw_whole("question", aside, tables[held], task, sampling.validation_rows, seed)
    pool = _draw_whole(sampling.train_unit, pool, train, task, sampling.train_rows, seed)
    drawn = {"train": ("train", pool), "validation": (held, validation), "test": ("test", chosen)}
    return {part: (parts[source][0], parts[source][1][numbers]) for part, (source, numbers) in drawn.items()}


def _hold_out(train: pa.Table, task: TaskSpec, sampling: SamplingSpec) -> Numbers:
    """The examples of the training split that are never trained on; validation examples are drawn from them."""
    share = max(1, round(train.num_rows * sampling.validation_share))
    wanted = min(share, sampling.validation_rows or share)
    if not task.group:
        return draw(np.arange(train.num_rows), strata(train, task), wanted, sampling.split_seed)
    try:
        return hold_out_groups(group_of_each(train, task, "group"), share, wanted, sampling.split_seed)
    except ValueError as error:
        raise ConfigError(f"task '{task.name}', split '{task.splits.train}', group '{task.group}': {error}") from None


def _draw_whole(unit: str, pool: Numbers, table: pa.Table, task: TaskSpec, rows: int | None, seed: int) -> Numbers:
    """Examples of a split: whole questions or groups where the task's row has the field, otherwise single ones."""
    if rows is not None and {"question": task.question, "group": task.group}.get(unit):
        return draw_blocks(pool, group_of_each(table, task, unit), rows, seed)
    return draw(pool, strata(table, task), rows, seed)


def check_raw(raw: Splits, task: TaskSpec) -> None:
    """Raise ConfigError for a split that is missing or empty, a column that is missing, a label that the row lacks."""
    where = f"task '{task.name}'"
    for name in task.splits.names:
        if name not in raw:
            raise unknown(where, "split", name, raw)
        table = raw[name]
        if table.num_rows == 0:
            raise ConfigError(f"{where}: split '{name}' is empty, it needs at least 1 row")
        first = table.slice(0, 1).to_pylist()[0]
        columns = preprocessed(first, task, f"split '{name}'")
        for column in task.columns():
            if column not in columns:
                raise unknown(f"{where}, split '{name}'", "column", column, columns)
        check_kinds(columns, task, f"split '{name}'")
        for value in _distinct(table[task.label]) if task.label in table.column_names else []:
            references_of({**first, str(task.label): value}, task, f"split '{name}'")
    check_cases(raw[task.splits.scored], task)


def _distinct(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column, each once; of lists and objects the first alone, which is refused."""
    values: list[Any] = (column.slice(0, 1) if pa.types.is_nested(column.type) else column.unique()).to_pylist()
    return values
