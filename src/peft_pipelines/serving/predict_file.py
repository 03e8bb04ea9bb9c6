"""The rows of a file to answers, part by part: checked before a model is read, and resumed where parts are done."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from peft_pipelines.config import TaskSpec
from peft_pipelines.data.unanswered import answer_columns, examples
from peft_pipelines.evaluation.score import bounds, task_scores
from peft_pipelines.files.checksum import sha256
from peft_pipelines.reporting.cell_facts import EXAMPLES, scored
from peft_pipelines.serving.answer_files import Given
from peft_pipelines.serving.parts import ROWS, Parts, numbered
from peft_pipelines.serving.recorded_cell import RecordedCell
from peft_pipelines.storage.checkpoint import RECORD

if TYPE_CHECKING:
    from peft_pipelines.serving.loaded_cell import LoadedCell

TRUNCATED: Final = "truncated"
"""The field of a prediction that says whether its prompt was too long and lost text."""

Lines = list[dict[str, Any]]
Answering = Callable[["LoadedCell", Sequence[Any], int], Lines]


def lines_of(given: Given, task: TaskSpec, *, ignore_labels: bool) -> Lines:
    """Return the rows of a file as the lines of a task's prompts.

    Args:
        given: the file.
        task: the task's row.
        ignore_labels: whether the columns of right answers are passed over.

    Raises:
        ConfigError: a column that is needed is missing or null, a label is unknown, or an input is empty.
    """
    ignored = answer_columns(task) if ignore_labels else set()
    table = given.table.select([name for name in given.table.column_names if name not in ignored])
    return examples(table.to_pylist(), task, table.column_names)


def plan_of(recorded: RecordedCell, given: Given, *, threads: int, ignore_labels: bool) -> dict[str, Any]:
    """Return what decides the answers to a file: the checkpoint, the rows, and how they are cut into parts."""
    return {
        "cell": recorded.cell.id,
        "run": recorded.run.id,
        "checkpoint": recorded.version,
        "record": sha256(recorded.checkpoint.folder / RECORD),
        "input": given.sha256,
        "ignore_labels": ignore_labels,
        "rows": ROWS,
        "threads": threads,
    }


def predictions(
    load: "Callable[[], LoadedCell]", lines: Sequence[Any], parts: Parts | None, answer: Answering | None = None
) -> Iterator[Lines]:
    """Yield the predictions of each part of some lines; the cell is loaded for the first part that is not done.

    They are those of scoring, with ``truncated`` behind the other fields.

    Args:
        load: loads the cell.
        lines: the lines of prompts.
        parts: where parts are kept, None where they are not.
        answer: has the cell answer a part, given the number of lines before it; None for answers as in scoring.
    """
    cell: LoadedCell | None = None
    for number, part in numbered(lines):
        done = parts.load(number) if parts else None
        if done is None:
            cell = cell or load()
            done = answer(cell, part, number * ROWS) if answer else cell.answer(part)
            asked = cell.answerer.encode(part).encoded
            done = [{**line, TRUNCATED: one.truncated} for line, one in zip(done, asked, strict=True)]
            if parts:
                parts.keep(number, done)
        yield done


def notes(answered: Lines) -> list[str]:
    """Return a sentence for each thing that a reader of some predictions should know.

    >>> notes([{"truncated": True}, {"truncated": False}])
    ['1 of 2 prompts was too long and lost its middle, as in scoring']
    """
    cut = sum(line.get(TRUNCATED, False) for line in answered)
    lost = "was too long and lost its middle" if cut == 1 else "were too long and lost their middle"
    return [f"{cut} of {len(answered)} prompts {lost}, as in scoring"] if cut else []


def scores(answered: Lines, task: TaskSpec) -> dict[str, str]:
    """Return what the task's metrics say of predictions with right answers, in words, by the metric's name."""
    found = scored(task_scores(answered, task) | bounds(answered, task))
    return {"examples" if name == EXAMPLES else name: text for name, text in found.items()}
