"""Failed cells and failed parts of the report: how they are written down, and the exception that names them all."""

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.disk import behind
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.status import Status


@dataclass(frozen=True)
class Failure:
    """A cell or a part of the report that raised: its title, the exception's type and reason, and the log's path."""

    title: str
    kind: str
    reason: str
    log: Path

    @classmethod
    def of(cls, title: str, error: Exception, log: Path) -> "Failure":
        """Describe an exception; its message becomes one line without control characters."""
        kind = type(error).__name__
        return cls(title, kind, for_terminal(" ".join(str(error).split())) or kind, log)

    @property
    def line(self) -> str:
        """The failure in one line."""
        return f"{self.title}: {self.kind}: {self.reason}"

    def entry(self) -> dict[str, Any]:
        """Return the failure as it is written to JSON: ``type``, ``reason``, ``finished`` (UTC) and the log's name."""
        return {"type": self.kind, "reason": self.reason, "finished": now(), "log": self.log.name}


class PartsFailed(Exception):
    """Some cells or some parts of the report failed. The message has a line for each kind and for each failure.

    Args:
        cells: the failed cells.
        total: how many cells the run has.
        report: the failed parts of the report.
    """

    def __init__(self, cells: Sequence[Failure], total: int, report: Sequence[Failure] = ()) -> None:
        parts = f"{len(report)} {'part' if len(report) == 1 else 'parts'} of the report failed"
        groups = [(f"{len(cells)} of {total} cells failed", cells), (parts, report)]
        lines = [
            line
            for head, failures in groups
            if failures
            for line in (head, *(f"  {failure.line} (see {failure.log})" for failure in failures))
        ]
        super().__init__("\n".join(lines))
        self.status = Status.CELLS_FAILED if cells else Status.REPORT_FAILED


class DiskFailed(ConfigError):
    """The disk is full or refuses to be written to: this would meet each later cell too, so it ends the run.

    Args:
        reason: the system's words, and the file.
        where: what ran, and how many cells stand.
    """

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(f"{reason} ({where}); once this is mended, the same kedro run goes on")


class DeviceFailed(ConfigError):
    """The GPU has failed in the run's own process, where each later cell would fail too.

    Args:
        error: what has failed.
        where: what ran, and how many cells stand.
    """

    def __init__(self, error: Exception, where: str) -> None:
        reason = str(error).partition("\n")[0]
        super().__init__(f"{reason} ({where}); the same kedro run goes on, without --workers=1 in another process")


def breaks_device(error: Exception) -> bool:
    """Whether an error has broken the process's hold of its GPU, so that each later computation there fails too.

    That is each error that CUDA itself reports; memory that runs out is none.
    """
    return any(
        type(each).__name__ == "AcceleratorError" or (isinstance(each, RuntimeError) and "CUDA error" in str(each))
        for each in behind(error)
    )


def traced(error: Exception) -> str:
    """Return an exception's traceback as text: control characters visible, paths from the project's folder or ``~``."""
    text = for_terminal("".join(traceback.format_exception(error)), keep="\n")
    return text.replace(f"{Path.cwd()}{os.sep}", "").replace(f"{Path.home()}{os.sep}", f"~{os.sep}")


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
