"""``kedro clean``: what of a store nobody needs any more, listed and, when asked for, removed."""

from typing import Any

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import unchecked
from peft_pipelines.files.screen import show

_number = options.strict(options.count, lambda: None)


def _kinds() -> tuple[str, ...]:
    from peft_pipelines.tracking.clean import KINDS  # noqa: PLC0415  (heavy: only this command needs it)

    return KINDS


@click.command(cls=Command)
@click.option("--apply", "applies", is_flag=True, help="Remove what is listed. Without it nothing is changed.")
@click.option(
    "--keep-last",
    metavar="N",
    type=click.UNPROCESSED,
    callback=_number,
    help="Only the last N runs that have ended stay on record; what only older ones rest on goes with their records.",
)
@click.option(
    "--older-than",
    metavar="DAYS",
    type=click.UNPROCESSED,
    callback=_number,
    help="Only what is that old.",
)
@click.option(
    "--only",
    metavar="KINDS",
    type=click.UNPROCESSED,
    callback=options.strict(options.names_of("kind", _kinds), list),
    help="Only these kinds, with commas between: runs, versions, states, failed, damaged, leftovers.",
)
@click.option("--all", "every", is_flag=True, help="List every path, not only the largest.")
@options.placed
def clean(
    applies: bool,
    keep_last: int | None,
    older_than: int | None,
    only: list[str],
    every: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """List what nobody needs of the store, with its size; with --apply, remove it.

    That is: versions that no run on record rests on and no cell has as its own, states from which a killed training
    would go on, records of failed cells, damaged files that were put aside, and what killed runs have left. What a run
    under way holds is left alone.

    \b
    kedro clean --keep-last 5 --older-than 30
    """
    from peft_pipelines.tracking.clean import KINDS, Wanted, found  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.tracking.clean_table import has_removed, would_remove  # noqa: PLC0415
    from peft_pipelines.tracking.clean_up import clean as clean_up  # noqa: PLC0415
    from peft_pipelines.tracking.store_places import Store  # noqa: PLC0415

    project, loader = unchecked(env, params)
    store, wanted = Store(loader["catalog"], project), Wanted(tuple(only) or KINDS, keep_last, older_than)
    show(has_removed(clean_up(store, wanted)) if applies else would_remove(found(store, wanted), project, every=every))
