"""What the page Run shows of an environment, read from the disk: what goes on, what has ended, and what has failed."""

from pathlib import Path
from threading import Lock
from typing import Any, Final

from peft_pipelines.board import launch, queue_files
from peft_pipelines.board.asking import ERROR, reason_in
from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.project import Project
from peft_pipelines.files.atomic import read_json
from peft_pipelines.running.progress_file import PROGRESS
from peft_pipelines.running.progress_view import doing_in_words, in_words
from peft_pipelines.running.state import FAILURE
from peft_pipelines.tracking.runs import MANIFEST
from peft_pipelines.tracking.watch import Seen, Watch

LOG_BYTES: Final = 16_384
"""Of the end of a log that the page shows."""
MOST: Final = 200
"""Failures that the page lists."""
BEGUN, RUNNING, IDLE, REFUSED = "starting", "running", "idle", "refused"


class Followed:
    """The runs of an environment, looked at again and again by any number of pages."""

    def __init__(self, project: Project, env: str) -> None:
        self._project, self._env = project, env
        self._lock = Lock()
        self._folder: Path | None = None
        self._last: tuple[object, dict[str, Any]] | None = None

    def look(self) -> dict[str, Any]:
        """Return the state as plain values."""
        process = launch.process_of(self._project, self._env)
        with self._lock:
            found = self._recorded(process)
        begun = process is not None
        under_way = any(not run["dead"] for run in found["runs"])
        log = _end_of(launch.log_of(self._project, self._env))
        refused = "" if begun or under_way else _refusal(log, on_record=found["on_record"])
        state = RUNNING if under_way else BEGUN if begun else REFUSED if refused else IDLE
        return {
            **found,
            "state": state,
            "process": process,
            "refused": refused,
            "queue": queue_files.waiting(self._project),
            "log": log,
        }

    def _recorded(self, process: int | None) -> dict[str, Any]:
        """What the store says; nothing is read where no file of a run has changed and none is under way."""
        rows = rows_of(self._project, self._env)
        if self._folder != rows.runs:
            self._folder, self._watch, self._last = rows.runs, Watch(rows.runs), None
        stamp = (process, rows.grid, _stamp(rows.runs))
        if self._last and self._last[0] == stamp and not self._last[1]["runs"]:
            return self._last[1]
        seen, faults = self._watch.look()
        live = any(not run.dead for run in seen)
        found = {
            "runs": [_run(run) for run in seen],
            "faults": faults,
            "last": "" if live else self._watch.last(),
            "failures": _failures(rows),
            "on_record": launch.on_record(self._project, self._env),
        }
        self._last = stamp, found
        return found


def _refusal(log: str, *, on_record: bool) -> str:
    """Why what was started has made no run, as its log ends; empty where it has made one, or ended without a reason."""
    reasons = [line for line in log.splitlines() if line.startswith(ERROR)]
    refused = reasons and (not on_record or log.lstrip().startswith(ERROR))
    return reason_in(log) if refused else ""


def _run(run: Seen) -> dict[str, Any]:
    now = run.now
    doing = [
        {
            "place": each.place,
            "title": each.title,
            "line": doing_in_words(each),
            "done": each.done,
            "total": each.total,
            "losses": each.losses,
            "validation": each.validation,
        }
        for each in now.doing
    ]
    counts = {"done": now.done, "cells": now.cells, "failed": now.failed}
    return {
        "id": run.sign.run_id,
        "title": run.title,
        "dead": run.dead,
        "line": in_words(now),
        "doing": doing,
        **counts,
    }


def _failures(rows: Rows) -> list[str]:
    """A line for each cell of the grid that has failed, as its own file says."""
    found = []
    for cell in rows.grid.cells():
        path = rows.scored(cell).with_name(FAILURE)
        if path.is_file():
            entry = read_json(path)
            found.append(f"{cell.id}: {entry['type']}: {entry['reason']}")
    return found[:MOST]


def _stamp(folder: Path) -> object:
    files = [path for name in (MANIFEST, PROGRESS) for path in sorted(folder.glob(f"*/{name}"))]
    return [(path, path.stat().st_mtime_ns) for path in files if path.exists()]


def _end_of(path: Path) -> str:
    """The last lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            begin = max(0, file.tell() - LOG_BYTES)
            file.seek(begin)
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return text.partition("\n")[2] if begin else text
