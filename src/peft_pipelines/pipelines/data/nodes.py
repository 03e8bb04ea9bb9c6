"""From raw rows to prompts. Text only: nothing here knows a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.model_selection import train_test_split

from peft_pipelines import preprocess
from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.io import Splits
from peft_pipelines.specs import SamplingSpec, TaskSpec, template_fields

ADAPTED = pa.schema([("input", pa.string()), ("references", pa.list_(pa.string()))])
PROMPTS = pa.schema([("prompt", pa.string()), ("references", pa.list_(pa.string()))])


def adapt(raw: Splits, task: TaskSpec, sampling: SamplingSpec) -> Splits:
    """The rows that take part, as two columns: ``input`` (text) and ``references`` (the right answers).

    Validation rows are the task's own split or cut off the training rows by the split seed, keeping the shares of
    the labels.

    Raises:
        ConfigError: a split is missing or empty, a template names a column that no row has, a label is hidden.
    """
    parts = sample(raw, task, sampling)
    return {
        name: pa.Table.from_pylist(
            [adapt_row(row, task, f"{name} row {number}") for number, row in enumerate(rows)], ADAPTED
        )
        for name, rows in parts.items()
    }


def instruct(adapted: Splits, task: TaskSpec) -> Splits:
    """Prepend the task's instruction to each input: columns ``prompt`` and ``references``."""
    return {
        name: pa.Table.from_pylist(
            [
                {"prompt": f"{task.instruction}\n\n{row['input']}", "references": row["references"]}
                for row in table.to_pylist()
            ],
            PROMPTS,
        )
        for name, table in adapted.items()
    }


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
    return {"input": text, "references": references}


def _preprocessed(row: preprocess.Row, task: TaskSpec, where: str) -> preprocess.Row:
    if not task.preprocess:
        return row
    where = f"task '{task.name}', {where}, preprocess {task.preprocess}"
    try:
        return preprocess.FUNCTIONS[task.preprocess](row)
    except KeyError as missing:
        raise unknown(where, "column", missing.args[0], row) from None
    except (AttributeError, IndexError, TypeError, ValueError) as fault:
        raise ConfigError(f"{where}: {fault}") from None


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
    chosen = _draw(np.arange(test.num_rows), _strata(test, task), sampling.test_rows, sampling.split_seed)
    pool = np.arange(train.num_rows)
    if splits.validation:
        validation, source = np.arange(raw[splits.validation].num_rows), raw[splits.validation]
    else:
        source = train
        wanted = max(1, round(len(pool) * sampling.validation_share))
        wanted = min(wanted, sampling.validation_rows or wanted)
        validation = _draw(pool, _strata(train, task), wanted, sampling.split_seed)
        pool = np.setdiff1d(pool, validation)
    validation = _draw(validation, _strata(source, task), sampling.validation_rows, sampling.split_seed)
    pool = _draw(pool, _strata(train, task), sampling.train_rows, sampling.split_seed)
    return {
        "train": train.take(pool).to_pylist(),
        "validation": source.take(validation).to_pylist(),
        "test": test.take(chosen).to_pylist(),
    }


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


def _draw(pool: np.ndarray, strata: Sequence[Any] | None, rows: int | None, seed: int) -> np.ndarray:
    """``rows`` of the pool's row numbers, label shares kept where each label has two rows or more; sorted."""
    if rows is None or rows >= len(pool):
        return pool
    groups = np.asarray(strata, dtype=object)[pool].astype(str) if strata is not None else None
    if groups is not None:
        _, counts = np.unique(groups, return_counts=True)
        if counts.min() == 1 or min(rows, len(pool) - rows) < len(counts):
            groups = None
    chosen, _ = train_test_split(pool, train_size=rows, random_state=seed, stratify=groups)
    return np.sort(chosen)
