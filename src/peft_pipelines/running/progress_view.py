"""How far a run is, for people: in lines, and in bars on a terminal. Its own display and ``kedro watch`` share them."""

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.quantities import duration
from peft_pipelines.running.run_progress import Doing, Snapshot

WIDTH = 24
"""Columns of a bar."""


def in_words(run: Snapshot) -> str:
    """Return in a line how far the cells of a run are.

    >>> in_words(Snapshot(seconds=60, cells=20, unchanged=3, made=4, failed=1, left=754.0))
    '7 of 20 cells (3 unchanged, 1 failed) after 1 min 00 s, 12 min 34 s left'
    >>> in_words(Snapshot(seconds=4))
    'before the first cell, after 4 s'
    """
    if run.cells is None:
        return f"before the first cell, after {duration(run.seconds)}"
    parts = {"unchanged": run.unchanged, "failed": run.failed}
    counts = ", ".join(f"{number} {word}" for word, number in parts.items() if number)
    left = f", {time_left(run)} left" if run.done < run.cells else ""
    return f"{run.done} of {run.cells} cells{f' ({counts})' if counts else ''} after {duration(run.seconds)}{left}"


def time_left(run: Snapshot) -> str:
    """Return the time that the cells of a run still take.

    >>> time_left(Snapshot(seconds=1, left=34.0, not_estimated=2)), time_left(Snapshot(seconds=1, not_estimated=2))
    ('34 s and 2 cells of unknown time', '2 cells of unknown time')
    """
    known = duration(run.left) if run.left is not None else ""
    many = "cell" if run.not_estimated == 1 else "cells"
    unknown = f"{run.not_estimated} {many} of unknown time" if run.not_estimated else ""
    return " and ".join(filter(None, (known, unknown))) or "an unknown time"


def doing_in_words(doing: Doing) -> str:
    """Return in a line what a run does at one place.

    >>> doing_in_words(Doing(place=0, title="lora · m · t · s0", phase="training", done=7, total=9, seconds=34))
    'lora · m · t · s0: training 7/9, 34 s'
    """
    steps = f" {doing.done}/{doing.total}" if doing.total is not None else ""
    return f"{titled(doing)}{steps}, {duration(doing.seconds)}"


def titled(doing: Doing) -> str:
    """Return what is under way, with its phase."""
    return f"{doing.title}: {doing.phase}" if doing.phase else doing.title


def drawn(run: Snapshot) -> Table:
    """Draw a bar for the cells of a run, and one for each place. Text from outside is escaped."""
    table = Table.grid(padding=(0, 1))
    left = f"{time_left(run)} left" if run.cells is not None and run.done < run.cells else ""
    _row(table, "cells", run.done, run.cells, run.seconds, left)
    for doing in run.doing:
        _row(table, titled(doing), doing.done, doing.total, doing.seconds, "")
    return table


def _row(table: Table, label: str, done: int, total: int | None, seconds: float, left: str) -> None:
    bar = ProgressBar(total=total, completed=done, width=WIDTH, pulse=total is None)
    steps = f"{done}/{total}" if total is not None else ""
    texts = [Text(for_terminal(text)) for text in (label, steps, duration(seconds), left)]
    table.add_row(texts[0], bar, *texts[1:])
