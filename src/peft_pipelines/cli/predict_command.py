"""``kedro predict``: a cell's answers to the rows of a file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peft_pipelines.cli.cell_options import of_cell
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.cli.options import placed
from peft_pipelines.files import names, progress
from peft_pipelines.files.screen import show, show_line
from peft_pipelines.running import threads

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from peft_pipelines.serving.answer_files import Given
    from peft_pipelines.serving.recorded_cell import RecordedCell

STREAM, INTERRUPTED = "-", 130

ShowDone = Callable[[], None]
"""Shows that one more part is done."""


@click.command(cls=Command)
@click.option("--input", "source", required=True, help="Rows to answer: .csv, .jsonl, .parquet; - is standard input.")
@click.option("--output", "target", required=True, help="The file to write: likewise; - is standard output.")
@click.option("--ignore-labels", is_flag=True, help="Pass over right answers in the input: nothing is scored.")
@click.option("--overwrite", is_flag=True, help="Replace the output, and parts of another prediction beside it.")
@of_cell
@placed
def predict(
    cell: tuple[str, ...],
    source: str,
    target: str,
    run_id: str | None,
    ignore_labels: bool,
    overwrite: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Answer the rows of a file with what a cell has trained.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The input has the columns that the task's row
    names; those of the right answer may be left out, and where they are there, the answers are scored by the task's
    metrics. Prompts, limits and checkpoint are those of the cell's own scores. The output has the columns of the input
    and prediction, new_tokens, stopped, and of a task with labels the probability of each label. Standard input and
    output are JSON lines. A prediction that was stopped goes on when it is given again.

    \b
    kedro predict lora.smollm2_135m.sst2.s0 --input reviews.csv --output answers.parquet
    """
    from peft_pipelines.serving import answer_files  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell  # noqa: PLC0415

    if target != STREAM:
        answer_files.check_output(Path(target), overwrite=overwrite)
    with opened(env, params) as (catalog, _):
        recorded = recorded_cell(catalog, cell_of(cell, catalog.load(names.PARAMETERS)), run_id)
        if source == STREAM:
            given = answer_files.read_lines(sys.stdin.buffer.read())
        else:
            given = answer_files.read_rows(Path(source))
        _answer(catalog, recorded, given, target, ignore_labels=ignore_labels, overwrite=overwrite)


def _answer(
    catalog: "DataCatalog",
    recorded: "RecordedCell",
    given: "Given",
    target: str,
    *,
    ignore_labels: bool,
    overwrite: bool,
) -> None:
    """Answer rows, write them, and print the scores."""
    from peft_pipelines.serving import answer_files, predict_file  # noqa: PLC0415
    from peft_pipelines.serving.loading import loaded  # noqa: PLC0415
    from peft_pipelines.serving.parts import Parts  # noqa: PLC0415

    task, streamed = recorded.task, target == STREAM
    answer_files.check_columns(given, task, ".jsonl" if streamed else Path(target).suffix)
    lines = predict_file.lines_of(given, task, ignore_labels=ignore_labels)
    parts = None
    if not streamed:
        plan = predict_file.plan_of(recorded, given, threads=threads.per_cell(), ignore_labels=ignore_labels)
        parts = Parts.beside(Path(target), plan)
        parts.begin(overwrite=overwrite)
    answered: list[dict[str, Any]] = []
    goes_on = "" if streamed else "; the same command goes on"
    with threads.limited(), _shown(recorded.cell.id, len(lines), answered, goes_on) as show_done:
        for part in predict_file.predictions(lambda: loaded(catalog, recorded), lines, parts):
            if streamed:
                rows = given.table.slice(len(answered), len(part))
                show(answer_files.as_lines(answer_files.joined(rows, answer_files.added(part, task))), end="")
            answered += part
            show_done()
    if parts:
        answer_files.write_answers(Path(target), given, answer_files.added(answered, task))
        parts.remove()
    scores = _table(predict_file.scores(answered, task)) if "references" in lines[0] else []
    where = "standard output" if streamed else target
    said = f"{where}: {len(answered)} rows answered by {recorded.cell.id}, checkpoint {recorded.version}"
    for line in (*scores, said):
        (show_line if streamed else show)(line)


def _table(scores: dict[str, str]) -> list[str]:
    from peft_pipelines.files.markdown import render  # noqa: PLC0415

    return render({"metric": list(scores), "value": list(scores.values())}).splitlines()


@contextmanager
def _shown(title: str, total: int, answered: list[dict[str, Any]], goes_on: str) -> Iterator[ShowDone]:
    """Show how many rows are answered; what a signal stops is said in a line, with what follows from it."""
    try:
        if sys.stderr.isatty() and not os.environ.get("CI"):
            with _bar(title, total, answered) as show_done:
                yield show_done
        else:  # a line a part, for logs
            yield lambda: show_line(f"{title}: {len(answered)} of {total} rows")
    except KeyboardInterrupt:
        show_line(f"stopped with {len(answered)} of {total} rows answered{goes_on}")
        raise SystemExit(INTERRUPTED) from None
    finally:
        progress.listen(None)


@contextmanager
def _bar(title: str, total: int, answered: list[dict[str, Any]]) -> Iterator[ShowDone]:
    """A moving bar for a person at a terminal; it never falls back where a part's rows are gone through twice."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def show_done(more: int = 0) -> None:
            bar.update(task, completed=max(bar.tasks[0].completed, len(answered) + more))

        progress.listen(lambda _, done, __: show_done(done))
        yield show_done
