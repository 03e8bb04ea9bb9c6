"""The runs of a store that are under way, and those that have ended without a word, from the signs that they leave."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.quantities import duration
from peft_pipelines.running.progress_file import PROGRESS, RunSign, read
from peft_pipelines.running.progress_view import doing_in_words, in_words
from peft_pipelines.running.run_progress import Snapshot
from peft_pipelines.tracking.order import in_order
from peft_pipelines.tracking.runs import MANIFEST, Run

UNKNOWN = "it has left no record"


@dataclass(frozen=True)
class Seen:
    """A run with its last sign of life, the seconds since then, and whether it is dead."""

    sign: RunSign
    silent: float
    dead: bool

    @property
    def title(self) -> str:
        """Which run it is, and whether it is dead."""
        return f"{self.sign}{f': dead, last sign of life {duration(self.silent)} ago' if self.dead else ''}"

    @property
    def now(self) -> Snapshot:
        """How far the run is now, as far as clocks tell."""
        return self.sign.progress if self.dead else self.sign.progress.after(self.silent)

    @property
    def lines(self) -> list[str]:
        """The run, how far its cells are, and what it does at each place, or did when it died, a line for each."""
        return [self.title, f"  {in_words(self.now)}", *(f"  {doing_in_words(each)}" for each in self.now.doing)]


class Watch:
    """Looks at the runs of a store, once or again and again.

    Args:
        folder: that of the runs on record; it need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[RunSign, float, float]] = {}

    def look(self) -> tuple[list[Seen], list[str]]:
        """Return the runs as they began, and in words what cannot be read.

        A dead one counts until a run that began later has ended: that one has put on record what its cells have made.
        """
        seen, faults, ended = [], [], False
        for run_id in reversed(in_order(self._folder, _folders(self._folder))):
            try:
                found = read(self._folder / run_id)
            except (ValueError, OSError) as error:
                faults.append(str(error))
                continue
            if found:
                run = self._judged(run_id, *found)
                seen += [run] if not (run.dead and ended) else []
            else:
                ended = ended or outcome(self._folder / run_id) is not None
        return seen[::-1], faults

    def _judged(self, run_id: str, sign: RunSign, silent: float) -> Seen:
        """What is known of a run. Once it has been looked at, the own clock counts, whatever other machines' say."""
        before, since, was_silent = self._seen.get(run_id, (None, 0.0, 0.0))
        if before is not None and before != sign:
            self._seen[run_id] = sign, monotonic(), 0.0
            return Seen(sign, 0.0, dead=sign.dead(0.0))
        if before is None:
            self._seen[run_id], since, was_silent = (sign, monotonic(), silent), monotonic(), silent
        silent = was_silent + monotonic() - since
        return Seen(sign, silent, dead=sign.dead(silent))

    def last(self) -> str:
        """Return in words how the last run of the store has ended."""
        for run_id in reversed(in_order(self._folder, _folders(self._folder))):
            if how := outcome(self._folder / run_id):
                return f"the last one, {run_id}, has ended: {how}"
        return "none has ended"


def outcome(folder: Path) -> str | None:
    """Return how a run has ended, in words; None where it has not, or nothing can be read of it."""
    if not (folder / MANIFEST).is_file():
        return None
    with suppress(ConfigError):
        run = Run(folder)
        if run.ended:
            reason = run.manifest.get("reason")
            return f"{run.manifest['status']}{f' ({reason})' if reason else ''}"
    return None


def _folders(folder: Path) -> list[str]:
    """The runs that have begun."""
    with suppress(FileNotFoundError):
        inside = [each for each in os.scandir(folder) if each.is_dir()]
        return [each.name for each in inside if any(Path(each, file).is_file() for file in (MANIFEST, PROGRESS))]
    return []


class News:
    """What is new from look to look, in lines: for a screen that does not move."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, object] = {}
        self._under_way: list[str] = []

    def of(self, seen: list[Seen], faults: list[str]) -> list[str]:
        """Return a line for each cell, phase or run that has begun or ended since the last look, and for each fault."""
        lines = []
        for run in [run for run in seen if not run.dead]:
            now = run.now
            if self._is_new(run.sign.run_id, (now.done, now.failed, now.cells)):
                lines.append(f"{run.title}: {in_words(now)}")
            for each in now.doing:
                if self._is_new(f"{run.sign.run_id} {each.place}", (each.title, each.phase)):
                    lines.append(f"  {doing_in_words(each)}")
        return [*lines, *self.ended(seen, faults)]

    def ended(self, seen: list[Seen], faults: list[str]) -> list[str]:
        """Return a line for each run that has ended or died since the last look, and for each fault."""
        lines = [fault for fault in faults if self._is_new(fault, fault)]
        dead = [run for run in seen if run.dead and self._is_new(run.sign.run_id, "dead")]
        lines += [line for run in dead for line in run.lines]
        here = [run.sign.run_id for run in seen]
        gone = [run_id for run_id in self._under_way if run_id not in here]
        self._under_way = here
        return [*lines, *(f"run {run_id} has ended: {outcome(self._folder / run_id) or UNKNOWN}" for run_id in gone)]

    def _is_new(self, key: str, state: object) -> bool:
        new = self._told.get(key) != state
        self._told[key] = state
        return new
