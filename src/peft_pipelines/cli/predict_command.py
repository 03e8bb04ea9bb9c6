"""``kedro predict``: a cell's answers to the rows of a file, or of a split of its task."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.cell_options import of_cell
from peft_pipelines.cli.decoding_options import Decoding, with_decoding
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names, progress
from peft_pipelines.files.screen import show, show_line
from peft_pipelines.running import threads

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from peft_pipelines.serving.answer_files import Given
    from peft_pipelines.serving.loaded_cell import LoadedCell
    from peft_pipelines.serving.predict_file import Answering, Lines
    from peft_pipelines.serving.recorded_cell import RecordedCell
    from peft_pipelines.serving.sampling_options import Sampling

STREAM, INTERRUPTED = "-", 130

ShowDone = Callable[[], None]
"""Shows that one more part is done."""
_rows = options.strict(options.count, lambda: None)


@click.command(cls=Command)
@click.option("--input", "source", help="Rows to answer: .csv, .jsonl, .parquet; - is standard input.")
@click.option("--split", help="Instead of --input: the task's own rows, validation or test.")
@click.option("--rows", metavar="N", type=click.UNPROCESSED, callback=_rows, help="Of --split, the first N.")
@click.option("--output", "target", required=True, help="The file to write: likewise; - is standard output.")
@click.option("--ignore-labels", is_flag=True, help="Pass over right answers in the input: nothing is scored.")
@click.option("--overwrite", is_flag=True, help="Replace the output, and parts of another prediction beside it.")
@with_decoding
@of_cell
@options.placed
def predict(
    cell: tuple[str, ...],
    source: str | None,
    split: str | None,
    rows: int | None,
    target: str,
    run_id: str | None,
    ignore_labels: bool,
    overwrite: bool,
    decoding: Decoding,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Answer the rows of a file, or of a split of the task, with what a cell has trained.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The input has the columns that the task's row
    names; those of the right answer may be left out, and where they are there, the answers are scored by the task's
    metrics. Prompts, limits and checkpoint are those of the cell's own scores. The output has the columns of the input
    and prediction, new_tokens, stopped, and of a task with labels the probability of each label. Standard input and
    output are JSON lines. A prediction that was stopped goes on when it is given again. Scores of answers by other
    decoding values than those of the cell's own scores are none of the benchmark's.

    \b
    kedro predict lora.smollm2_135m.sst2.s0 --input reviews.csv --output answers.parquet
    """
    from peft_pipelines.serving import answer_files, predict_file  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell  # noqa: PLC0415

    _check_source(source, split, rows, ignore_labels=ignore_labels)
    sampling = decoding.sampling()
    if target != STREAM:
        answer_files.check_output(Path(target), overwrite=overwrite)
    with opened(env, params) as (catalog, _):
        recorded = recorded_cell(catalog, cell_of(cell, catalog.load(names.PARAMETERS)), run_id)
        if split is not None:
            from peft_pipelines.serving.predict_split import split_of  # noqa: PLC0415  (loads torch: after all checks)

            given = answer_files.of_table(split_of(catalog, recorded, split, rows))
            lines = given.table.to_pylist()
        else:
            given = _given(source or "")
            lines = predict_file.lines_of(given, recorded.task, ignore_labels=ignore_labels)
        plan = predict_file.plan_of(recorded, given, threads=threads.per_cell(), ignore_labels=ignore_labels)
        plan |= {"decoding": chosen} if (chosen := decoding.plan()) else {}
        answer = partial(_answered, decoding.max_new_tokens, sampling) if chosen else None
        _answer(catalog, recorded, given, lines, target, plan, answer, overwrite=overwrite)
    if chosen and "references" in lines[0]:
        show_line("answers by chosen decoding values: these are not the benchmark's scores")


def _given(source: str) -> "Given":
    from peft_pipelines.serving import answer_files  # noqa: PLC0415

    return (
        answer_files.read_lines(sys.stdin.buffer.read()) if source == STREAM else answer_files.read_rows(Path(source))
    )


def _check_source(source: str | None, split: str | None, rows: int | None, *, ignore_labels: bool) -> None:
    if (source is None) == (split is None):
        raise ConfigError("--input, --split: give one of them: a file of rows, or a split of the task")
    for name, given in {"--rows": source is not None and rows, "--ignore-labels": split and ignore_labels}.items():
        if given:
            raise ConfigError(f"{name}: is not for {'--split' if split else '--input'}")


def _answered(most: int | None, sampling: "Sampling | None", cell: "LoadedCell", lines: "Lines", first: int) -> "Lines":
    from peft_pipelines.serving.predict_split import answered_by  # noqa: PLC0415  (loads torch: after all checks)

    return answered_by(cell, lines, most, sampling, first)


def _answer(
    catalog: "DataCatalog",
    recorded: "RecordedCell",
    given: "Given",
    lines: "Lines",
    target: str,
    plan: Mapping[str, Any],
    answer: "Answering | None",
    *,
    overwrite: bool,
) -> None:
    """Answer rows, write them, and print the scores."""
    from peft_pipelines.serving import answer_files, predict_file  # noqa: PLC0415
    from peft_pipelines.serving.loading import loaded  # noqa: PLC0415
    from peft_pipelines.serving.parts import Parts  # noqa: PLC0415

    task, streamed = recorded.task, target == STREAM
    answer_files.check_columns(given, task)
    answer_files.check_writable(None if streamed else Path(target), given)
    parts = None
    if not streamed:
        parts = Parts.beside(Path(target), plan)
        parts.begin(overwrite=overwrite)
    answered: list[dict[str, Any]] = []
    goes_on = "" if streamed else "; the same command goes on"
    with threads.limited(), _shown(recorded.cell.id, len(lines), answered, goes_on) as show_done:
        for part in predict_file.predictions(lambda: loaded(catalog, recorded), lines, parts, answer):
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
    for line in (*scores, *predict_file.notes(answered), said):
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
