"""The parts of a task's raw rows: which rows of which raw split are for training, validation and test."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.example import group_digests, input_text, preprocessed
from peft_pipelines.data.overlap import normalised
from peft_pipelines.data.sampling import Numbers, draw
from peft_pipelines.storage.splits import Splits

Parts = dict[str, tuple[str, Numbers]]
"""By part the raw split and the numbers of rows in it."""


def parts_of(raw: Splits, task: TaskSpec, seed: int) -> Parts:
    """Return the rows of ``train`` and ``test``, and of ``validation`` where the task's row names a split for it.

    Where the answers are a list, rows without one are left out: they can be neither trained on nor scored.

    Args:
        raw: the raw splits that the row names.
        task: the task's row.
        seed: decides which rows are cut off for the test, where the row gives a share for it.

    Raises:
        ConfigError: no row of a split has an answer, or no test rows can be cut off.
    """
    named = {"train": task.splits.train, "validation": task.splits.validation, "test": task.splits.test}
    parts = {part: (split, _answered(raw[split], task, f"split '{split}'")) for part, split in named.items() if split}
    if task.splits.test_share:
        split, numbers = parts["train"]
        cut = _cut_off(raw[split].take(pa.array(numbers)), task, task.splits.test_share, seed)
        parts |= {"train": (split, np.delete(numbers, cut)), "test": (split, numbers[cut])}
    return parts


def _answered(table: pa.Table, task: TaskSpec, where: str) -> Numbers:
    if not task.references:
        return np.arange(table.num_rows)
    rows = enumerate(table.to_pylist())
    kept = [number for number, row in rows if preprocessed(row, task, f"{where} row {number}")[task.references]]
    if not kept:
        raise ConfigError(
            f"task '{task.name}', {where}: no row has an answer in '{task.references}', score another split"
        )
    return np.asarray(kept)


def _cut_off(table: pa.Table, task: TaskSpec, share: float, seed: int) -> Numbers:
    """The places of a share of the units, which stay whole; the shares of the labels are kept if these are inputs.

    A unit is a group or, where the row has none, all rows of one input but for case and white space.
    """
    units = group_of_each(table, task, "group") if task.group else _inputs(table, task)
    first = {unit: place for place, unit in reversed(list(enumerate(units)))}
    if len(first) == 1:
        what = "group" if task.group else "input"
        raise ConfigError(
            f"task '{task.name}', splits.test_share: all rows of split '{task.splits.train}' share one {what}, "
            "no test examples can be cut off"
        )
    pool = np.sort(np.asarray(list(first.values())))
    wanted = min(max(1, round(len(pool) * share)), len(pool) - 1)
    chosen = {units[place] for place in draw(pool, None if task.group else strata(table, task), wanted, seed)}
    return np.asarray([place for place, unit in enumerate(units) if unit in chosen])


def _inputs(table: pa.Table, task: TaskSpec) -> list[str]:
    places = ((f"split '{task.splits.train}' row {number}", row) for number, row in enumerate(table.to_pylist()))
    return [normalised(input_text(preprocessed(row, task, place), task, place)) for place, row in places]


def group_of_each(table: pa.Table, task: TaskSpec, kind: str) -> list[str]:
    """Return the digest of each row's ``group`` or ``question``, as ``kind`` says."""
    rows = enumerate(table.to_pylist())
    places = ((f"row {number}", row) for number, row in rows)
    return [group_digests(preprocessed(row, task, place), task, place)[kind] for place, row in places]


def strata(table: pa.Table, task: TaskSpec) -> Sequence[Any] | None:
    """Return each row's value of the label column; None where there is none before ``preprocess``."""
    return table[task.label].to_pylist() if task.label in table.column_names else None
