"""From raw rows to prompts. Text only: nothing here knows a model."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from peft_pipelines.config import SamplingSpec, TaskSpec, template_fields
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data import preprocess
from peft_pipelines.data.case_columns import check_cases, with_cases
from peft_pipelines.data.sampling import Numbers, cut_groups, draw, draw_blocks
from peft_pipelines.storage.splits import Splits

TOGETHER = ("group", "question")
"""The columns of a task whose row gives these templates: short names of the texts that rows share."""


def adapt(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> Splits:
    """The rows that take part, as two columns: ``input`` (text) and ``references`` (the right answers).

    Where the task's row says so, columns ``group`` and ``question`` say which rows belong together. Validation rows
    are the task's own split or cut off the training rows by the split seed, keeping the shares of the labels; of a
    group all rows stand on one side of the cut.

    Raises:
        ConfigError: a split is missing or empty, a template names a column that no row has, a label is hidden.
    """
    parts = sample(raw, task, sampling)
    tables = {
        name: pa.Table.from_pylist(
            [adapt_row(row, task, f"{name} row {number}") for number, row in enumerate(rows)], _schema(task)
        )
        for name, rows in parts.items()
    }
    return {**tables, "test": with_cases(tables["test"], parts["test"], task)}


def instruct(adapted: Splits, task: TaskSpec) -> Splits:
    """Prepend the task's instruction to each input: ``prompt`` in place of ``input``, the other columns as they are."""
    made = {}
    for name, table in adapted.items():
        prompts = [task.prompt(text) for text in table["input"].to_pylist()]
        made[name] = table.set_column(0, "prompt", pa.array(prompts, pa.string()))
    return made


def _schema(task: TaskSpec) -> pa.Schema:
    together = [(name, pa.string()) for name in TOGETHER if getattr(task, name)]
    return pa.schema([("input", pa.string()), ("references", pa.list_(pa.string())), *together])


def adapt_row(row: preprocess.Row, task: TaskSpec, where: str) -> dict[str, Any]:
    """One raw row as input and references.

    With the template ``{sentence}`` and labels 0: bad, 1: good, ``{"sentence": "fun", "label": 1}`` becomes
    ``{"input": "fun", "references": ["good"]}``.
    """
    row = _preprocessed(row, task, where)
    for column in task.columns():
        if column not in row:
            raise unknown(f"task '{task.name}', {where}", "column", column, row)
        if row[column] is None:  # a template would write None
            raise ConfigError(f"task '{task.name}', {where}: column '{column}' is null, it must hold a value")
    text = _filled(task.input, row)
    references = _references(row, task, where)
    if not text or not references or not all(references):
        raise ConfigError(f"task '{task.name}', {where}: empty {'input' if not text else 'answer'}")
    return {"input": text, "references": references, **together(row, task)}


def together(row: preprocess.Row, task: TaskSpec) -> dict[str, str]:
    """Which rows a row belongs with, by the task's templates: texts are long, so 16 digits of their hash."""
    texts = {name: getattr(task, name).format_map(row) for name in TOGETHER if getattr(task, name)}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}


def _preprocessed(row: preprocess.Row, task: TaskSpec, where: str) -> preprocess.Row:
    if not task.preprocess:
        return row
    where = f"task '{task.name}', {where}, preprocess {task.preprocess}"
    try:
        return preprocess.FUNCTIONS[task.preprocess](row)
    except KeyError as missing:
        raise unknown(where, "column", missing.args[0], row) from None
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None


def _filled(template: str, row: preprocess.Row) -> str:
    """The template's text, or nothing where all of its columns are blank."""
    blank = not any(str(row[column]).strip() for column in template_fields(template))
    return "" if blank else template.format_map(row).strip()


def _references(row: preprocess.Row, task: TaskSpec, where: str) -> list[str]:
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
        return [_filled(task.target, row)]
    answers = row[str(task.references)]
    if not isinstance(answers, list):
        raise ConfigError(
            f"task '{task.name}', {where}: column '{task.references}' must be a list, got {answers!r:.80}"
        )
    return [str(answer).strip() for answer in answers]


def sample(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> dict[str, list[preprocess.Row]]:
    """The raw rows that take part, drawn by the split seed and stratified by label, in their original order."""
    splits = task.splits
    check_raw(raw, task)
    names = filter(None, (splits.train, splits.validation, splits.test))
    raw = {name: _answered(raw[name], task, f"split '{name}'") for name in names}
    train, test = raw[splits.train], raw[splits.test]
    chosen = _drawn(np.arange(test.num_rows), test, task, sampling.test_rows, sampling.split_seed)
    if splits.validation:
        source, pool = raw[splits.validation], np.arange(train.num_rows)
        aside = np.arange(source.num_rows)
    else:
        source, aside = train, _set_aside(train, task, sampling)
        pool = np.setdiff1d(np.arange(train.num_rows), aside)
    validation = _drawn(aside, source, task, sampling.validation_rows, sampling.split_seed)
    pool = draw(pool, _strata(train, task), sampling.train_rows, sampling.split_seed)
    return {
        "train": train.take(pool).to_pylist(),
        "validation": source.take(validation).to_pylist(),
        "test": test.take(chosen).to_pylist(),
    }


def _set_aside(train: pa.Table, task: TaskSpec, sampling: SamplingSpec) -> Numbers:
    """The training rows that are kept from training: validation rows are drawn from them."""
    share = max(1, round(train.num_rows * sampling.validation_share))
    wanted = min(share, sampling.validation_rows or share)
    if not task.group:
        return draw(np.arange(train.num_rows), _strata(train, task), wanted, sampling.split_seed)
    try:
        return cut_groups(_named(train, task, "group"), share, wanted, sampling.split_seed)
    except ValueError as error:
        raise ConfigError(f"task '{task.name}', split '{task.splits.train}', group '{task.group}': {error}") from None


def _drawn(pool: Numbers, table: pa.Table, task: TaskSpec, rows: int | None, seed: int) -> Numbers:
    """Rows to judge: whole questions where rows share one, otherwise by label."""
    if task.question and rows is not None:
        return draw_blocks(pool, _named(table, task, "question"), rows, seed)
    return draw(pool, _strata(table, task), rows, seed)


def _named(table: pa.Table, task: TaskSpec, kind: str) -> list[str]:
    rows = enumerate(table.to_pylist())
    return [together(_preprocessed(row, task, f"row {number}"), task)[kind] for number, row in rows]


def check_raw(raw: Splits, task: TaskSpec) -> None:
    """Raise ConfigError for a split that is missing or empty, a column that is missing, a label that is not a label."""
    where = f"task '{task.name}'"
    for name in filter(None, (task.splits.train, task.splits.validation, task.splits.test)):
        if name not in raw:
            raise unknown(where, "split", name, raw)
        table = raw[name]
        if table.num_rows == 0:
            raise ConfigError(f"{where}: split '{name}' is empty, it needs at least 1 row")
        first = table.slice(0, 1).to_pylist()[0]
        columns = _preprocessed(first, task, f"split '{name}'")
        for column in task.columns():
            if column not in columns:
                raise unknown(f"{where}, split '{name}'", "column", column, columns)
        for value in table[task.label].unique().to_pylist() if task.label in table.column_names else []:
            _references({**first, str(task.label): value}, task, f"split '{name}'")
    check_cases(raw[task.splits.test], task)


def _answered(table: pa.Table, task: TaskSpec, where: str) -> pa.Table:
    """The rows that have an answer, where answers are a list: without one a row can be neither learnt nor judged."""
    if not task.references:
        return table
    rows = enumerate(table.to_pylist())
    kept = [number for number, row in rows if _preprocessed(row, task, f"{where} row {number}")[task.references]]
    if not kept:
        raise ConfigError(
            f"task '{task.name}', {where}: no row has an answer in '{task.references}', score another split"
        )
    return table.take(pa.array(kept))


def _strata(table: pa.Table, task: TaskSpec) -> Sequence[Any] | None:
    return table[task.label].to_pylist() if task.label in table.column_names else None
