"""The progress of a run on the screen: a moving display on a terminal, one line a finished cell everywhere else."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from peft_pipelines.files import progress
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.screen import show_line
from peft_pipelines.running.failures import Failure

Write = Callable[[str], None]


class Lines:
    """One plain line a finished cell, for logs: ``[3/20] lora · smollm2_135m · sst2 · s0: macro_f1 81.2 %, 34 s``."""

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

    def begin(self, title: str) -> None:
        """Note that a cell, a task's data or the report begins."""

    def phase(self, name: str) -> None:
        """Note that a node of it begins."""

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
    """The same lines above two bars: the cells with elapsed and remaining time, and the steps of the current phase."""

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
        self._steps = self._progress.add_task("", total=None, label="", visible=False)
        self._title = ""
        self._moved: list[tuple[logging.StreamHandler[Any], Any]] = []

    def __enter__(self) -> Self:
        self._moved = [(handler, handler.stream) for handler in _on_stderr()]
        self._progress.start()
        for handler, _ in self._moved:
            handler.setStream(sys.stderr)
        progress.listen(self._step)
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

    def begin(self, title: str) -> None:
        self._title = title

    def phase(self, name: str) -> None:
        self._progress.remove_task(self._steps)  # a new one: a bar's total cannot be made unknown again
        self._steps = self._progress.add_task(f"{self._title}: {name}", total=None, label="")

    def end(self, title: str, outcome: str) -> None:
        super().end(title, outcome)
        self._progress.advance(self._cells)
        self._progress.update(self._steps, visible=False)

    def skip(self, title: str, outcome: str) -> None:
        self._done += 1

    def _step(self, phase: str, done: int, total: int) -> None:
        self._progress.update(self._steps, description=f"{self._title}: {phase}", completed=done, total=total)


def _on_stderr() -> list[logging.StreamHandler[Any]]:
    """The log's handlers that write to the terminal; while bars move, their lines must stand above the bars."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    return [handler for handler in handlers if handler.stream in (sys.stderr, sys.__stderr__)]


def display() -> Lines:
    """The moving display for a person at a terminal; lines in continuous integration and in files."""
    return Terminal(Console(stderr=True)) if sys.stderr.isatty() and not os.environ.get("CI") else Lines()
