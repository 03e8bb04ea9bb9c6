"""The end of a run by a signal: Ctrl-C, an order to terminate, or a closed terminal, in words and within seconds."""

import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from peft_pipelines.files.system import ENDING

PATIENCE = 4.5
"""Seconds after which a run that has been told to end is ended, whatever it is doing."""


class Stopped(KeyboardInterrupt):
    """A signal has arrived. As an interrupt it passes all that handles exceptions."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Interrupted(Exception):
    """A run was ended by a signal. The message says where it was and what stands."""

    def __init__(self, stop: KeyboardInterrupt, where: str) -> None:
        self.signum = stop.signum if isinstance(stop, Stopped) else signal.SIGINT
        super().__init__(f"interrupted by {signal.Signals(self.signum).name} {where}")

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal has ended: 130 of Ctrl-C, 143 of SIGTERM, 129 of SIGHUP."""
        return 128 + self.signum


class _Handler:
    """Raises ``Stopped`` at the first signal, and ends the process at the second or when patience ends."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.ends = math.inf
        self._watch: threading.Timer | None = None

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.first is not None:
            _die(signum, "ended at once, at the second signal")
        self.first, self.ends = signum, monotonic() + PATIENCE
        self._watch = threading.Timer(PATIENCE, _die, (signum, f"ended without an answer after {PATIENCE} s"))
        self._watch.daemon = True
        self._watch.start()
        raise Stopped(signum)

    def rest(self) -> None:
        if self._watch:
            self._watch.cancel()


_installed: _Handler | None = None


@contextmanager
def stopping() -> Iterator[None]:
    """Turn signals into ``Stopped`` as long as the block lasts; what the caller has told to ignore stays ignored.

    Inside another such block, and beside the main thread, where no signal arrives, nothing changes.
    """
    global _installed  # noqa: PLW0603  (signals belong to the process)
    if _installed or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in ENDING}
    _installed = handler = _Handler()
    for each, old in before.items():
        if old is not signal.SIG_IGN:
            signal.signal(each, handler)
    try:
        yield
    finally:
        for each, old in before.items():
            signal.signal(each, old)
        handler.rest()
        _installed = None


def seconds_left() -> float:
    """Return after how many seconds this process will be ended; infinity where no signal has arrived."""
    return _installed.ends - monotonic() if _installed else math.inf


def check() -> None:
    """Raise ``Stopped`` where a signal has arrived and the code that it met has swallowed the exception."""
    if _installed and _installed.first is not None:
        raise Stopped(_installed.first)


def _die(signum: int, how: str) -> None:
    cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    os.write(2, f"{cursor}\n{signal.Signals(signum).name}: {how}; what is on disk stands\n".encode())
    os._exit(128 + signum)
