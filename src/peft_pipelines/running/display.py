"""The progress of a run on the screen: a moving display on a terminal, one line a finished cell everywhere else."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

from rich.console import Console
from rich.live import Live

from peft_pipelines.files import progress
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.screen import show_line
from peft_pipelines.running.cell_events import CellEvents
from peft_pipelines.running.failures import Failure
from peft_pipelines.running.progress_view import drawn
from peft_pipelines.running.run_progress import RunProgress

Write = Callable[[str], None]


class Lines:
    """One plain line a finished cell, for logs: ``[3/20] lora · smollm2_135m · sst2 · s0: accuracy 81.2 %, 34 s``.

    ``progress`` is how far the run is, as it is told; ``events`` tells hooks what becomes of cells.
    """

    def __init__(self, write: Write = show_line) -> None:
        self._write, self._total, self._done = write, 0, 0
        self.progress, self.events = RunProgress(), CellEvents()

    def __enter__(self) -> Self:
        progress.listen(self.step, self.log)
        return self

    def __exit__(self, *error: object) -> None:
        """Listen no more, and leave the screen as it is."""
        progress.listen(None)

    def plan(self, total: int, skipped: int) -> None:
        """Note how many cells there are, and how many of them are unchanged and will be skipped."""
        self._total = total
        self.progress.plan(total, skipped)
        if skipped:
            self._write(f"{skipped} of {total} cells are unchanged")

    def begin(self, title: str, place: int = 0) -> None:
        """Note that a cell, a task's data or the report begins; an empty title for nothing.

        Args:
            title: its name for people.
            place: of several that run side by side, the number of this one.
        """
        self.progress.begin(title, place)
        self.events.begin(title, place)

    def phase(self, name: str, place: int = 0) -> None:
        """Note that a node of it begins."""
        self.progress.step(name, place)

    def step(self, phase: str, done: int, total: int, place: int = 0) -> None:
        """Note that ``done`` of ``total`` steps of a phase of it are done."""
        self.progress.step(phase, place, done, total)

    def log(self, phase: str, entry: Mapping[str, float], place: int = 0) -> None:
        """Note what a training of it has logged at a step."""
        self.progress.log(phase, entry, place)
        self.events.log(phase, entry, place)

    def end(self, title: str, outcome: str, *, failed: bool = False) -> None:
        """Print the outcome of a cell that has ended."""
        self.progress.end(title, failed)
        self.events.end(title, failed)
        self._print(title, outcome)

    def skip(self, title: str, outcome: str, *, elsewhere: bool = False) -> None:
        """Print a cell that was skipped; ``elsewhere`` says that it was to be made, and another run has made it."""
        self.progress.skip(elsewhere=elsewhere)
        self._print(title, outcome)

    def _print(self, title: str, outcome: str) -> None:
        self._done += 1
        self._write(f"[{self._done}/{self._total}] {title}: {outcome}")

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
        self._live = Live(get_renderable=lambda: drawn(self.progress.now()), console=console, transient=True)
        self._moved: list[tuple[logging.StreamHandler[Any], Any]] = []

    def __enter__(self) -> Self:
        self._moved = [(handler, handler.stream) for handler in _on_stderr()]
        self._live.start()
        for handler, _ in self._moved:
            handler.setStream(sys.stderr)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for handler, stream in self._moved:
            handler.setStream(stream)
        self._live.stop()

    def skip(self, title: str, outcome: str, *, elsewhere: bool = False) -> None:
        self.progress.skip(elsewhere=elsewhere)
        self._done += 1


def _on_stderr() -> list[logging.StreamHandler[Any]]:
    """The log's handlers that write to the terminal; while bars move, their lines must stand above the bars."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    return [handler for handler in handlers if handler.stream in (sys.stderr, sys.__stderr__)]


def display() -> Lines:
    """The moving display for a person at a terminal; lines in continuous integration and in files."""
    return Terminal(Console(stderr=True)) if sys.stderr.isatty() and not os.environ.get("CI") else Lines()
