"""The commands on runs on record (reproduce, verify, compare), and the lists of methods and metrics."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from peft_pipelines.cli.add_task_command import add_task
from peft_pipelines.cli.board_command import board
from peft_pipelines.cli.chat_command import chat
from peft_pipelines.cli.clean_command import clean
from peft_pipelines.cli.export_command import export
from peft_pipelines.cli.init_command import init
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened, unchecked
from peft_pipelines.cli.options import placed, with_env
from peft_pipelines.cli.plan_command import plan
from peft_pipelines.cli.predict_command import predict
from peft_pipelines.cli.publish_command import publish
from peft_pipelines.cli.schema_command import schema
from peft_pipelines.cli.serve_command import serve
from peft_pipelines.cli.watch_command import watch
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.screen import show
from peft_pipelines.methods.custom_folder import use_methods_of


@click.command(cls=Command)
@click.argument("run_id")
@click.option("--cell", "cells", multiple=True, help="METHOD.MODEL.TASK.SEED; may be given again. Default: all cells.")
@click.option("--keep", is_flag=True, help="Keep the folder of the replay, and print its path.")
@click.option("--all", "every", is_flag=True, help="Show every number, not only those that differ.")
@placed
def reproduce(
    run_id: str, cells: tuple[str, ...], keep: bool, every: bool, env: str | None, params: dict[str, Any]
) -> None:
    """Run a run on record again, and compare each number with the record.

    The run is repeated from its own configuration, not from today's, in a folder of its own that is removed
    afterwards; raw examples and base models are read where they are. Costs are not compared. Exits with 1 where a
    tensor, an answer or a number differs.
    """
    from peft_pipelines.tracking.differences import changes  # noqa: PLC0415  (heavy: ``kedro --help`` waits for no torch)
    from peft_pipelines.tracking.replay import replay  # noqa: PLC0415
    from peft_pipelines.tracking.reproduce import compare_cells, outcome_tables  # noqa: PLC0415
    from peft_pipelines.tracking.runs import chosen, find  # noqa: PLC0415

    with opened(env, params) as (catalog, project):
        run = find(catalog, run_id)
        wanted = chosen(run, cells)
        for line in changes(run, catalog, project):
            show(line)
    with _scratch(keep) as folder:
        outcomes = compare_cells(run, replay(run, wanted, project, env, params, folder), wanted)
    show(f"\n{outcome_tables(outcomes, every=every)}")
    if not all(one.equal for one in outcomes):
        raise SystemExit(1)


@contextmanager
def _scratch(keep: bool) -> Iterator[Path]:
    """Yield a new folder, and remove it at the end unless it is to be kept."""
    if not keep:
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            yield Path(folder)
        return
    kept = Path(tempfile.mkdtemp(prefix="replay-"))
    yield kept
    show(f"\nThe replay is kept in {kept}")


@click.command(cls=Command)
@click.argument("run_id", required=False)
@placed
def verify(run_id: str | None, env: str | None, params: dict[str, Any]) -> None:
    """Check a run's record (default: the newest) against the files on disk, without a model.

    Hashes examples, weights, checkpoints and answers again, and scores the kept answers again by the run's own task
    rows. Names what differs or is missing, and then exits with 1.
    """
    from peft_pipelines.tracking.runs import find  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.tracking.verify import verify as check  # noqa: PLC0415
    from peft_pipelines.tracking.verify import without_weights  # noqa: PLC0415

    with opened(env, params) as (catalog, _):
        run = find(catalog, run_id)
        mismatches, count = check(run, catalog)
        dropped = without_weights(run, catalog)
    if dropped:
        listed = ", ".join(dropped[:3]) + (", …" if len(dropped) > 3 else "")  # noqa: PLR2004
        show(f"not checked: the weights of {len(dropped)} checkpoints, which were dropped as their rows say ({listed})")
    for mismatch in mismatches:
        show(f"{mismatch.subject}: {mismatch.problem}")
    verdict = f"{len(mismatches)} of {count} checks failed" if mismatches else f"all {count} checks passed"
    show(f"run {run.id}: {verdict}")
    if mismatches:
        raise SystemExit(1)


@click.command(cls=Command)
@click.argument("first")
@click.argument("second")
@click.option("--all", "every", is_flag=True, help="All metrics of a task, not only its primary one.")
@placed
def compare(first: str, second: str, every: bool, env: str | None, params: dict[str, Any]) -> None:
    """List the scores that differ between run FIRST and run SECOND, and test each difference.

    Where both runs answered the same items the test is paired (McNemar's or the bootstrap), otherwise it rests on both
    intervals; p-values are adjusted by Holm over all scores that moved. Costs are not compared.
    """
    from peft_pipelines.tracking.compare import moves, moves_table  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.tracking.runs import find  # noqa: PLC0415

    with opened(env, params) as (catalog, _):
        runs = find(catalog, first), find(catalog, second)
        show(moves_table(moves(*runs, every=every), *runs))


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--type", "kind", help="Only this type of a library, such as kedro methods shows it.")
@click.option("--json", "as_json", is_flag=True, help="All fields of all types, for a program.")
@click.option("--coverage", is_flag=True, help="The page of methods and systems, docs/coverage.md.")
@with_env
def methods(name: str | None, kind: str | None, as_json: bool, coverage: bool, env: str | None) -> None:
    """List the methods there are to choose from, with and without a row; of NAME (a row or a type) show all fields.

    What the installed libraries bring, and the packages that rows name, is read from their classes. Of a field: what a
    row may give, the library's default or that it is required, the value of the row NAME (of a type: of each of its
    rows), and the library's full help.

    \b
    kedro methods lora
    """
    from peft_pipelines.methods.catalogue import available  # noqa: PLC0415
    from peft_pipelines.reporting import method_list  # noqa: PLC0415  (heavy: only this command needs it)

    if coverage and (name is not None or kind is not None or as_json):
        raise ConfigError("--coverage: is a page of all methods; leave out NAME, --type and --json")
    project, rows = _method_rows(env)
    found = available(rows)
    wanted = name if kind is None else kind
    shown = found if wanted is None else method_list.chosen(found, rows, wanted)
    if coverage:
        show(method_list.coverage(project, rows, any(one.provider == "custom" for one in found)), end="")
    elif as_json:
        show(method_list.as_json(shown, rows))
    elif wanted is not None:
        show("\n\n".join(method_list.detail(one, rows, name) for one in shown))
    else:
        show(method_list.overview(found, rows))


def _method_rows(env: str | None) -> tuple[Path, dict[str, Any]]:
    """The project's folder and its method rows; no session, which would check and load everything else as well."""
    project, loader = unchecked(env, {})
    use_methods_of(project)
    return project, dict(loader["parameters"]["methods"])


@click.command(cls=Command)
def metrics() -> None:
    """List the metrics that a task's row may name, with their tasks, intervals, units and direction."""
    from peft_pipelines.evaluation.metrics.registry import METRICS  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.reporting.metric_list import metric_table  # noqa: PLC0415

    show(metric_table(METRICS.values()))


COMMANDS: list[click.Command] = [
    add_task,
    plan,
    watch,
    clean,
    predict,
    chat,
    serve,
    board,
    export,
    publish,
    reproduce,
    verify,
    compare,
    methods,
    metrics,
    schema,
    init,
]
