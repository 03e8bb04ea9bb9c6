"""A worker as its run sees it: a process of one's own, a line to it, and what it has in hand."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running import threads
from peft_pipelines.running.units import Unit

_DYING = 5.0
"""Seconds between the end of a process's line and its own end."""
_TAIL = 20
"""Lines that are kept of what a process has said outside of its line before it died."""


@dataclass
class Errand:
    """A cell to be made: who held it when it was last looked at, what it has cost, and when it is looked at again."""

    unit: Unit
    was: Holder | None = None
    deaths: int = 0
    due: float = 0.0


class WorkerProcess:
    """A process that runs worker.py. Its errand is what it has in hand, its phase the node of it that runs.

    Once it is gone, ``said`` holds the last lines that it has printed where its run does not hear it, as the
    interpreter does at a crash.

    Args:
        place: its number among the workers that run side by side.
    """

    def __init__(self, place: int) -> None:
        self.place, self.ready = place, False
        self.errand: Errand | None = None
        self.phase = self.said = ""
        self._out = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the process)
        mine, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "peft_pipelines.running.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._out,
                env={**os.environ, **threads.environment(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.line = Connection(mine.detach())

    def send(self, message: Any) -> None:
        """Tell it something; one that has died will be found so."""
        with suppress(OSError):
            if isinstance(message, bytes):
                self.line.send_bytes(message)
            else:
                self.line.send(message)

    def terminate(self) -> None:
        """Order it to end."""
        self._process.terminate()

    def gone(self, patience: float = _DYING) -> str:
        """Wait for its end, bring it about where it takes too long, and return how it came: a signal or an exit code.

        Args:
            patience: seconds to wait.
        """
        try:
            code = self._process.wait(max(0.0, patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self.line.close()
        with self._out:
            self._out.seek(0)
            self.said = "\n".join(self._out.read().decode(errors="replace").splitlines()[-_TAIL:])
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def part(workers: list[WorkerProcess], seconds: float) -> None:
    """Wait for the end of some that are told to end, and end those that take longer than some seconds."""
    until = monotonic() + seconds
    for worker in workers:
        worker.gone(until - monotonic())
