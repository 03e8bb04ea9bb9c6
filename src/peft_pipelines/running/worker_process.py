"""A worker that is a process of this machine, as its run sees it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from peft_pipelines.running import threads
from peft_pipelines.running.channel import BROKEN_DEVICE
from peft_pipelines.running.staff import DYING, Errand

_TAIL = 20
"""Lines that are kept of what a process has said outside of its line before it died."""

ENDS = {BROKEN_DEVICE: "CUDA error"}
"""Exit codes in words."""


class WorkerProcess:
    """A process that runs worker.py. Its errand is what it has in hand, its phase the node of it that runs.

    Once it is gone, ``said`` holds the last lines that it has printed where its run does not hear it, as the
    interpreter does at a crash.

    Args:
        place: its number among the workers that run side by side.
        environment: variables beside those of this process, or in their place.
        folder: the folder to work in, if not this process's own.
    """

    def __init__(self, place: int, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
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
                cwd=folder,
                env={**os.environ, **threads.environment(), **path(), **(environment or {})},
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

    def gone(self, patience: float = DYING) -> str:
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
        return signal.Signals(-code).name if code < 0 else ENDS.get(code, f"exit code {code}")


def path() -> dict[str, str]:
    """Return the variable that lets another interpreter find the modules that this one finds."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
