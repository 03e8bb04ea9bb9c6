"""Raw rows to examples where the right answer may be missing, as in files that a cell is to answer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from peft_pipelines.config import TaskSpec, template_fields
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.example import adapt_row

Row = Mapping[str, Any]

ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "one_decimal": {"label": 0},
    "story_problem": {"Equation": ""},
    "cloze": {"answers": []},
    "split_solution": {"answer": "####"},
    "distinct_solutions": {"solutions": None},
}
"""By function of ``preprocess`` the raw columns of right answers that it reads, with values that it passes over.

Nothing of an unanswered row that depends on them is used.
"""
GROUPS: Final[dict[str, dict[str, Any]]] = {"story_problem": {"Body": ""}}
"""Likewise the raw columns that only say which rows belong together."""


def answer_columns(task: TaskSpec) -> set[str]:
    """Return the raw columns that hold right answers alone: a file without any of them has none.

    >>> from peft_pipelines.config import TaskSpec
    >>> answer_columns(TaskSpec.model_construct(input="{text}", label="team"))
    {'team'}
    """
    direct = {column for column in (task.label, task.references) if column}
    written = {column for text in (task.target, task.gold) if text for column in template_fields(text)}
    return (direct | written | ANSWERS.get(task.preprocess or "", {}).keys()) - set(template_fields(task.input))


def examples(rows: Sequence[Row], task: TaskSpec, columns: Collection[str]) -> list[dict[str, Any]]:
    """Return raw rows as the lines of a task's prompts: ``prompt``, and ``references`` where they hold right answers.

    Where one of the columns of right answers is there, all rows must have theirs, as in a split of the task; otherwise
    no row needs one. ``choices`` and ``context`` are there where the task's row has ``continuations``.

    Args:
        rows: the raw columns of each row.
        task: the task's row.
        columns: the names of the raw columns.

    Raises:
        ConfigError: a column that is needed is missing or null, a label is unknown, or an input is empty.
    """
    answered = not answer_columns(task).isdisjoint(columns)
    if not answered:
        rows = [{**_stand_ins(task), **row} for row in rows]
        task = _unanswered(task)
    found = []
    for number, row in enumerate(rows, 1):
        example = adapt_row(dict(row), task, f"row {number}")
        prompt = {"prompt": task.prompt(example.pop("input"))}
        references = example.pop("references")
        found.append({**prompt, **({"references": references} if answered else {}), **example})
    return found


def input_columns(task: TaskSpec) -> list[str]:
    """Return the columns that a task's input is made of, after ``preprocess``; each once."""
    return list(dict.fromkeys(template_fields(task.input)))


def row_of_text(text: str, task: TaskSpec) -> Row:
    """Return the raw row of a task whose input is made of one column of its raw rows.

    Raises:
        ConfigError: its input is made of several, or of what ``preprocess`` makes.
    """
    if task.preprocess:
        made = f"its preprocess '{task.preprocess}' makes the input of raw columns"
        raise ConfigError(f"task '{task.name}': {made}; give rows, not texts")
    columns = input_columns(task)
    if len(columns) > 1:
        raise ConfigError(f"task '{task.name}': its input has the columns {', '.join(columns)}; give rows, not texts")
    return {columns[0]: text}


def _stand_ins(task: TaskSpec) -> dict[str, Any]:
    name = task.preprocess or ""
    return {**ANSWERS.get(name, {}), **GROUPS.get(name, {})}


def _unanswered(task: TaskSpec) -> TaskSpec:
    """The task's row without a right answer: its input stands in for one, and groups are not asked for."""
    without = dict.fromkeys(("label", "references", "gold", "group", "question", "tests"))
    return task.model_copy(update={**without, "target": task.input})
