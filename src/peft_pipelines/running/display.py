"""The progress of a run on the screen: a moving display on a terminal, one line a finished cell everywhere else."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from peft_pipelines.files import progress
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.screen import show_line
from peft_pipelines.running.failures import Failure

Write = Callable[[str], None]


class Lines:
    """One plain line a finished cell, for logs: ``[3/20] lora · smollm2_135m · sst2 · s0: accuracy 81.2 %, 34 s``."""

    def __init__(self, write: Write = show_line) -> None:
        self._write, self._total, self._done = write, 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the screen as it is."""

    def plan(self, total: int, skipped: int) -> None:
        """Note how many cells there are, and how many of them are unchanged and will be skipped."""
        self._total = total
        if skipped:
            self._write(f"{skipped} of {total} cells are unchanged")

    def begin(self, title: str, place: int = 0) -> None:
        """Note that a cell, a task's data or the report begins; an empty title for nothing.

        Args:
            title: its name for people.
            place: of several that run side by side, the number of this one.
        """

    def phase(self, name: str, place: int = 0) -> None:
        """Note that a node of it begins."""

    def step(self, phase: str, done: int, total: int, place: int = 0) -> None:
        """Note that ``done`` of ``total`` steps of a phase of it are done."""

    def end(self, title: str, outcome: str) -> None:
        """Print the outcome of a cell that has ended."""
        self._done += 1
        self._write(f"[{self._done}/{self._total}] {title}: {outcome}")

    def skip(self, title: str, outcome: str) -> None:
        """Print a cell that was skipped."""
        self.end(title, outcome)

    def note(self, line: str) -> None:
        """Print what a person should know: a damaged file, a cell that another run holds."""
        self._write(line)

    def lost(self, failure: Failure) -> None:
        """Print a part of the report that has failed."""
        self._write(f"report: {failure.line}")


class Terminal(Lines):
    """The same lines above bars: the cells with elapsed and remaining time, and the steps of each that is under way."""

    def __init__(self, console: Console) -> None:
        super().__init__(lambda line: console.print(for_terminal(line), markup=False, highlight=False))
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[label]}"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            transient=True,
            speed_estimate_period=float("inf"),
        )
        self._cells = self._progress.add_task("cells", total=None, label="left")
        self._steps: dict[int, TaskID] = {}
        self._titles: dict[int, str] = {}
        self._moved: list[tuple[logging.StreamHandler[Any], Any]] = []

    def __enter__(self) -> Self:
        self._moved = [(handler, handler.stream) for handler in _on_stderr()]
        self._progress.start()
        for handler, _ in self._moved:
            handler.setStream(sys.stderr)
        progress.listen(self.step)
        return self

    def __exit__(self, *error: object) -> None:
        progress.listen(None)
        for handler, stream in self._moved:
            handler.setStream(stream)
        self._progress.stop()

    def plan(self, total: int, skipped: int) -> None:
        super().plan(total, skipped)
        self._progress.reset(self._cells, total=total, completed=skipped)
        self._progress.advance(self._cells, 0)  # the first sample of the estimate of what is left

    def begin(self, title: str, place: int = 0) -> None:
        self._titles[place] = title
        self._hide(place)

    def phase(self, name: str, place: int = 0) -> None:
        self._hide(place)  # a new one: a bar's total cannot be made unknown again
        self._steps[place] = self._progress.add_task(f"{self._titles.get(place, '')}: {name}", total=None, label="")

    def step(self, phase: str, done: int, total: int, place: int = 0) -> None:
        if place in self._steps:
            what = f"{self._titles.get(place, '')}: {phase}"
            self._progress.update(self._steps[place], description=what, completed=done, total=total)

    def end(self, title: str, outcome: str) -> None:
        super().end(title, outcome)
        self._progress.advance(self._cells)
        for place in [place for place, shown in self._titles.items() if shown == title]:
            self._hide(place)

    def skip(self, title: str, outcome: str) -> None:
        self._done += 1

    def _hide(self, place: int) -> None:
        if place in self._steps:
            self._progress.remove_task(self._steps.pop(place))


def _on_stderr() -> list[logging.StreamHandler[Any]]:
    """The log's handlers that write to the terminal; while bars move, their lines must stand above the bars."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    return [handler for handler in handlers if handler.stream in (sys.stderr, sys.__stderr__)]


def display() -> Lines:
    """The moving display for a person at a terminal; lines in continuous integration and in files."""
    return Terminal(Console(stderr=True)) if sys.stderr.isatty() and not os.environ.get("CI") else Lines()
