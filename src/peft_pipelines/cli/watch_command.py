"""``kedro watch``: how far the runs of a store are, from another terminal."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import unchecked
from peft_pipelines.cli.options import placed
from peft_pipelines.files import names
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.screen import show

if TYPE_CHECKING:
    from peft_pipelines.tracking.watch import News, Seen, Watch

OFTEN = 1.0
"""Seconds between two looks."""


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="Print how far the runs are now, and end.")
@placed
def watch(once: bool, env: str | None, params: dict[str, Any]) -> None:
    """Follow the runs of a store, whichever process and machine they are on, until none is under way.

    Of each run: the cells that are done, that failed and that were unchanged, the time that the others will take as
    kedro plan estimates it, and what each of its workers is at: cell, phase, step. A run that has ended without a word
    is shown as dead. Nothing is written. Ctrl-C ends the watching, not the run.

    \b
    kedro watch --env=three_seeds --once
    """
    from peft_pipelines.tracking.watch import News, Watch  # noqa: PLC0415  (heavy: only this command needs it)

    project, loader = unchecked(env, params)
    folder = project / loader["catalog"][names.RUNS]["filepath"]
    looking = Watch(folder)
    seen, faults = looking.look()
    if once:
        for line in [*faults, *(line for run in seen for line in run.lines)]:
            show(line)
    else:
        with suppress(KeyboardInterrupt):
            (_bars if sys.stdout.isatty() else _lines)(looking, News(folder))
    if all(run.dead for run in seen):
        show(f"no run is under way in this store; {looking.last()}")


def _looks(looking: "Watch") -> "Iterator[tuple[list[Seen], list[str]]]":
    """Look again and again, and once more when nothing goes on any more."""
    under_way = True
    while under_way:
        seen, faults = looking.look()
        under_way = any(not run.dead for run in seen)
        yield seen, faults
        if under_way:
            sleep(OFTEN)


def _lines(looking: "Watch", news: "News") -> None:
    for look in _looks(looking):
        for line in news.of(*look):
            show(line)


def _bars(looking: "Watch", news: "News") -> None:
    """Draw each run as its own display does, and print what has ended above it."""
    from rich.console import Console, Group  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from peft_pipelines.running.progress_view import drawn  # noqa: PLC0415

    with Live(console=Console(), transient=True) as live:
        for seen, faults in _looks(looking):
            for line in news.ended(seen, faults):
                live.console.print(for_terminal(line), markup=False, highlight=False)
            parts = [(Text(for_terminal(str(run.sign))), drawn(run.now)) for run in seen if not run.dead]
            live.update(Group(*(part for pair in parts for part in pair)))
