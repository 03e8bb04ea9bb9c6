"""Where a cell's score comes from, as the board shows it: its rows, scores, costs, losses and answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from peft_pipelines.board.curve import Curve, curve_of
from peft_pipelines.board.store_lines import CellLine, cell_line, checkpoint_of_numbers
from peft_pipelines.config import Cell, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.score import answers_of, right_answers
from peft_pipelines.files import names
from peft_pipelines.reporting.details import detail, item_scores, worst_first
from peft_pipelines.serving.probabilities import probabilities
from peft_pipelines.tracking.compare import task_of
from peft_pipelines.tracking.runs import Run
from peft_pipelines.tracking.store_places import Store

AT_ONCE: Final = 20
"""Answers of a page."""


@dataclass(frozen=True)
class ShownAnswer:
    """One answer: its number in the test split from 1, its score, the whole prompt, right answers and what was said."""

    number: int
    score: str
    prompt: str
    right: list[str]
    said: str
    likely: dict[str, str]


@dataclass(frozen=True)
class CellDetails:
    """A cell with a score.

    Attributes:
        line: names, score, weights.
        facts: groups of names and texts: scores, costs, training.
        confusion: the table of right and given answers, its heads first; empty for free text.
        curve: the losses by step.
        answers: some answers, the worst first.
        first: the number before the first of them.
        total: the number of all answers.
        rows: the rows that made the cell, as YAML, by their kind.
        command: what makes the cell.
    """

    line: CellLine
    facts: dict[str, dict[str, str]]
    confusion: list[list[str]]
    curve: Curve | None
    answers: list[ShownAnswer]
    first: int
    total: int
    rows: dict[str, str]
    command: str


def cell_details(store: Store, cell: Cell, first: int = 0) -> CellDetails:
    """Return what is on record of a cell that has a score.

    Args:
        store: the store.
        cell: a cell of it.
        first: how many answers to pass over, of those with the worst first.

    Raises:
        ConfigError: it has no score, or its answers or its checkpoint cannot be read.
    """
    line = cell_line(store, cell)
    if line is None or not line.done:
        raise ConfigError(f"cell '{cell.id}': has no score" + (f" ({line.score})" if line else ""))
    numbers = store.catalog.load(names.artifact(cell, names.METRICS))
    checkpoint = checkpoint_of_numbers(store, cell, numbers)
    answered = store.catalog.load(names.artifact(cell, names.PREDICTIONS))
    for what, found in {"checkpoint": checkpoint, "answers": answered}.items():
        if not found:
            raise ConfigError(f"cell '{cell.id}': its {what} are gone; `kedro run` makes it again")
    assert checkpoint
    task = task_of(Run(store.runs / line.run), cell.id)
    found = detail(names.cell_id(cell.model, cell.task, cell.seed), numbers, answered, checkpoint, task)
    return CellDetails(
        line=line,
        facts=found["facts"],
        confusion=found["confusion"],
        curve=curve_of(found["curve"]),
        answers=_answers(answered, task, first),
        first=first,
        total=len(answered),
        rows={name: _yaml(value) for name, value in found["config"].items()},
        command=found["command"],
    )


def _answers(rows: list[dict[str, Any]], task: TaskSpec, first: int) -> list[ShownAnswer]:
    metric, scores, right = registry.metric(task.primary), item_scores(rows, task), right_answers(rows)
    said = answers_of(rows, task, metric.name)
    return [
        ShownAnswer(
            number=place + 1,
            score=f"{scores[place]:.3g}",
            prompt=rows[place]["prompt"],
            right=right[place],
            said=said[place],
            likely=shares(rows[place].get("label_scores")),
        )
        for place in worst_first(rows, task)[first : first + AT_ONCE]
    ]


def shares(label_scores: Mapping[str, float] | None) -> dict[str, str]:
    """Return how likely each label was among the labels, in percent; empty for free text.

    >>> shares({"no": -1.0, "yes": -1.0})
    {'no': '50.0 %', 'yes': '50.0 %'}
    """
    likely = probabilities(label_scores) if label_scores else {}
    return {label: f"{100 * share:.1f} %" for label, share in likely.items()}


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
