"""Scores that differ between two runs on record, each with an interval and a test of the difference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from peft_pipelines.config import Cell, TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.score import answers_of, groups_of, questions_of, right_answers
from peft_pipelines.evaluation.statistics.intervals import stats
from peft_pipelines.evaluation.statistics.paired import holm
from peft_pipelines.evaluation.statistics.scores import Score, comparison, interval, scored
from peft_pipelines.files.checksum import sha256
from peft_pipelines.files.markdown import paragraph, render
from peft_pipelines.files.status import Status
from peft_pipelines.storage.artifact import FORMATS
from peft_pipelines.tracking.runs import Run

LEVEL = 0.05
UNPAIRED = "unpaired"


@dataclass(frozen=True)
class Move:
    """One score in two runs: second minus first with its interval, in the metric's units.

    ``p`` is two-sided, ``adjusted`` the same after Holm over all moves. ``test`` is "mcnemar" or "bootstrap" where both
    runs answered the same items, "unpaired" where they did not.
    """

    cell: str
    metric: str
    first: float
    second: float
    low: float
    high: float
    p: float
    test: str
    adjusted: float = 1.0


@dataclass(frozen=True)
class Moves:
    """Two runs compared: the scores that moved, the largest change first, and the cells that could not be compared."""

    moved: list[Move]
    unchanged: int
    only_first: list[str]
    only_second: list[str]


def moves(first: Run, second: Run, *, every: bool = False) -> Moves:
    """The primary metric, or ``every`` metric, of all cells that both runs have scored.

    A score that other answers left as it was has not moved, but counts among the tests that Holm adjusts for.
    """
    done = [{cell for cell, entry in run.cells.items() if entry["status"] == Status.DONE} for run in (first, second)]
    both = [cell for cell in first.cells if cell in done[0] & done[1]]
    found, unchanged = [], 0
    for cell in both:
        mine = _of_cell(first, second, cell, every)
        found += mine
        unchanged += all(one.first == one.second for one in mine)
    adjusted = holm({(one.cell, one.metric): one.p for one in found})
    found = [replace(one, adjusted=adjusted[one.cell, one.metric]) for one in found if one.first != one.second]
    found.sort(key=lambda one: -abs(one.second - one.first))
    lone = [
        [cell for cell in run.cells if cell in done[place] - set(both)] for place, run in enumerate((first, second))
    ]
    return Moves(found, unchanged, *lone)


def _of_cell(first: Run, second: Run, cell: str, every: bool) -> list[Move]:
    """The moves of a cell; none where its answers and its scores are the same."""
    tasks = [task_of(run, cell) for run in (first, second)]
    paths = [run.predictions(cell) for run in (first, second)]
    wanted = tasks[0].metrics if every else (tasks[0].primary,)
    metrics = [name for name in wanted if name in tasks[1].metrics]
    if paths[0] == paths[1]:
        numbers = [run.cells[cell]["numbers"] for run in (first, second)]
        metrics = [name for name in metrics if numbers[0].get(name) != numbers[1].get(name)]  # scored otherwise
    if not metrics:
        return []
    rows = [_answers(path) for path in paths]
    items = [[_item(row, task) for row in side] for side, task in zip(rows, tasks, strict=True)]
    paired = items[0] == items[1]
    scores = [[_score(name, rows[side], tasks[side]) for name in metrics] for side in (0, 1)]
    return [_move(cell, name, scores[0][place], scores[1][place], paired) for place, name in enumerate(metrics)]


def _move(cell: str, metric: str, first: Score, second: Score, paired: bool) -> Move:
    before, after = first.resamples.value, second.resamples.value
    if paired and first.resamples.draw == second.resamples.draw:
        found = comparison(second, first)
        return Move(cell, metric, before, after, found.low, found.high, found.p, found.test)
    error = (interval(first).error ** 2 + interval(second).error ** 2) ** 0.5
    normal, difference = stats().norm, after - before
    reach = float(normal.ppf(1 - LEVEL / 2)) * error
    p = float(2 * normal.sf(abs(difference) / error)) if error else float(difference == 0)
    return Move(cell, metric, before, after, difference - reach, difference + reach, p, UNPAIRED)


def _score(metric: str, rows: Sequence[dict[str, Any]], task: TaskSpec) -> Score:
    groups, questions = groups_of(rows, task), questions_of(rows, task)
    answers, references = answers_of(rows, task, metric), right_answers(rows)
    return scored(metric, [answers], references, task.label_words, groups=groups, questions=questions)


def task_of(run: Run, cell: str) -> TaskSpec:
    """Return the task's row that a cell was scored by in a run.

    Raises:
        ConfigError: the run's rows are damaged.
    """
    name = Cell.of(cell).task
    return parse(TaskSpec, f"task '{name}'", run.rows["tasks"][name])


def _answers(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None, "a cell that is done has answers"
    if not path.is_file() or sha256(path) != path.stem:
        problem = "differ from their hash" if path.is_file() else "are gone"
        raise ConfigError(f"the kept answers of a run {problem} (looked in '{path}'); `kedro verify` names the cell")
    rows: list[dict[str, Any]] = FORMATS[path.suffix].read(path)
    return rows


def _item(row: dict[str, Any], task: TaskSpec) -> tuple[str, tuple[str, ...]]:
    """Return what identifies a test item: its text without the instruction, and its right answers."""
    return task.input_of(row["prompt"]), tuple(right_answers([row])[0])


def moves_table(found: Moves, first: Run, second: Run) -> str:
    """Return the moves as a Markdown table, each in its metric's unit, and the cells that were not compared."""
    parts = [render(moves_columns(found))] if found.moved else []
    return "\n\n".join([*parts, paragraph(" ".join(moves_sentences(found, first, second)))])


def moves_columns(found: Moves) -> dict[str, list[str]]:
    """Return the moves as columns of a table, each in its metric's unit."""
    moved = [(one, quantity(one.metric).unit) for one in found.moved]
    return {
        "cell": [one.cell for one in found.moved],
        "metric": [one.metric for one in found.moved],
        "first": [unit.text(one.first) for one, unit in moved],
        "second": [unit.text(one.second) for one, unit in moved],
        "difference": [unit.text(one.second - one.first, signed=True) for one, unit in moved],
        "95 % interval": [
            f"{unit.text(one.low, signed=True)} … {unit.text(one.high, signed=True)}" for one, unit in moved
        ],
        "p (Holm)": [f"{one.adjusted:.3f}" for one in found.moved],
        "test": [one.test for one in found.moved],
        "beyond noise": ["yes" if one.adjusted < LEVEL else "no" for one in found.moved],
    }


def moves_sentences(found: Moves, first: Run, second: Run) -> list[str]:
    """Return what the table of moves is about, and the cells that were not compared."""
    units = {one.metric: quantity(one.metric).unit for one in found.moved}
    others = {metric: unit.name for metric, unit in units.items() if not unit.in_percent}
    beyond = sum(one.adjusted < LEVEL for one in found.moved)
    apart = "".join(f", {name} in the {unit}" for name, unit in others.items())
    return [
        f"Second ({second.id}) minus first ({first.id}), in percent{apart}. {len(found.moved)} scores moved, "
        f"{beyond} of them "
        f"beyond the noise of the test items (p after Holm below {LEVEL}); "
        f"{found.unchanged} cells have the same scores.",
        "The test speaks of other test items, not of other training seeds.",
        *_lone("first", found.only_first),
        *_lone("second", found.only_second),
    ]


def _lone(which: str, cells: list[str]) -> list[str]:
    return [f"Only the {which} run has: {', '.join(cells)}."] if cells else []
