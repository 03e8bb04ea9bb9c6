"""``kedro plan``: what a run would make and take, without running anything."""

from typing import Any

import click
from kedro.framework.project import pipelines as registered
from kedro.framework.project import settings

from peft_pipelines.cli import options
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.run_command import WORKERS_HELP
from peft_pipelines.files.screen import show

_tags = options.strict(options.names, list)
_text = options.strict(options.text, lambda: None)
_workers = options.strict(options.count, lambda: None)


@click.command(cls=Command)
@click.option("--tags", type=click.UNPROCESSED, callback=_tags, help="Only nodes with one of these tags, as kedro run.")
@click.option("--workers", metavar="N", type=click.UNPROCESSED, callback=_workers, help=WORKERS_HELP)
@click.option("--conf-source", callback=_text, help="Another folder of configuration than conf, as kedro run.")
@click.option("--json", "as_json", is_flag=True, help="Totals and a row a cell, for a program.")
@options.placed
def plan(
    tags: list[str],
    workers: int | None,
    conf_source: str | None,
    as_json: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Say what kedro run would make and what that would take. Nothing runs, and nothing is written into the store.

    How many cells there are, how many are unchanged and would be skipped, how many failed before; and by method the
    time and disk of the rest, estimated from what the most alike cells took. Where no cell like it has run, there is no
    number.

    \b
    kedro plan --env=three_seeds --workers 4
    """
    from peft_pipelines.running.outlook import outlook  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.running.plan_table import plan_json, plan_table  # noqa: PLC0415
    from peft_pipelines.running.priced import priced  # noqa: PLC0415
    from peft_pipelines.running.selection import DEFAULT, Selection  # noqa: PLC0415

    with settings.SESSION_CLASS.create(env=env, runtime_params=params, conf_source=conf_source) as session:
        catalog = session.load_context().catalog
        Selection({"tags": tags}).check()
        pipeline = registered[DEFAULT].filter(tags=tags) if tags else registered[DEFAULT]
        found = priced(outlook(pipeline, catalog), catalog, workers)
    show(plan_json(found) if as_json else plan_table(found))
