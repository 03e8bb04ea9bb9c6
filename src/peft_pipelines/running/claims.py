"""Claims: any number of runs, on any number of machines, share a store, and none makes what another one is making.

A claim is a file in the folder of what is made: a cell, a task's data, the report. It names its holder. The holder
touches it every few seconds; whoever waits for it takes it over once the holder is dead. That is known at once of a
process on the same machine; of another one where the file has not changed for two minutes by the own clock, so that
clocks that differ or are set back decide nothing.
"""

import atexit
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from uuid import uuid4

from peft_pipelines.files.claim_file import Holder, guarded, holder_of, made, remove, touched
from peft_pipelines.files.owner import Life, Owner, me
from peft_pipelines.running.failures import now

CLAIM = "claim.json"
BEAT, SILENCE, POLL = 5.0, 120.0, 1.0
"""Seconds between two touches, without one until a holder elsewhere counts as dead, and between two looks."""


class ClaimLost(Exception):
    """Another run has taken over a claim, since this one did not touch it for too long.

    ``holder`` is that run; one of which nothing is known where it has released the claim already.
    """

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(str(holder or "nobody"))
        self.holder = holder or Holder(None, "unknown", 0, "", "", "")


class Claims:
    """The claims of one run.

    Args:
        run_id: the run's id, for those who wait.
    """

    def __init__(self, run_id: str | None) -> None:
        self._run_id = run_id
        self._held: dict[Path, Holder] = {}
        self._seen: dict[Path, tuple[object, float]] = {}
        self._closed = threading.Event()
        self._beating: threading.Thread | None = None
        atexit.register(self.close)

    def take(self, folder: Path) -> Holder | None:
        """Claim a folder, which is made where it is missing; return the holder where another run holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        path, mine = folder / CLAIM, self._new()
        with guarded(folder):
            while not made(path, mine):
                holder = holder_of(path)
                if holder is None:
                    continue  # released just now
                if not self._dead(path, holder):
                    return holder
                remove(path, holder)
        _LIVE.add(mine.token)
        self._held[folder] = mine
        self._seen.pop(path, None)
        self._beat()
        return None

    def check(self, folder: Path) -> None:
        """Raise ClaimLost where a claim is not this run's any more."""
        holder = holder_of(folder / CLAIM)
        if holder != self._held.get(folder):
            self._forget(folder)
            raise ClaimLost(holder)

    def release(self, folder: Path) -> None:
        """Give a folder free for others; nothing happens where it is not held."""
        mine = self._forget(folder)
        if mine:
            with suppress(OSError), guarded(folder):
                remove(folder / CLAIM, mine)

    def close(self) -> None:
        """Release all and end the touching."""
        self._closed.set()
        for folder in list(self._held):
            self.release(folder)
        atexit.unregister(self.close)

    def _new(self) -> Holder:
        return Holder(self._run_id, socket.gethostname(), os.getpid(), str(me()), now(), uuid4().hex)

    def _forget(self, folder: Path) -> Holder | None:
        mine = self._held.pop(folder, None)
        if mine:
            _LIVE.discard(mine.token)
        return mine

    def _dead(self, path: Path, holder: Holder) -> bool:
        with suppress(ValueError):
            owner = Owner.of(holder.owner)
            if owner == me():
                return holder.token not in _LIVE
            if owner.life is not Life.ELSEWHERE:
                return owner.life is Life.DEAD
        sign, since = self._seen.get(path, (None, 0.0))
        current = (holder.token, touched(path))
        if current != sign:
            self._seen[path] = (current, monotonic())
            return False
        return monotonic() - since > SILENCE

    def _beat(self) -> None:
        if self._beating is None:
            self._beating = threading.Thread(target=self._touch, name="claims", daemon=True)
            self._beating.start()

    def _touch(self) -> None:
        while not self._closed.wait(BEAT):
            for folder, mine in list(self._held.items()):
                with suppress(OSError):
                    if holder_of(folder / CLAIM) == mine:
                        os.utime(folder / CLAIM)


_LIVE: set[str] = set()
"""What this process holds. A claim of this process that is not among it belongs to a run that ended without a word."""
_session: Claims | None = None


def begin(run_id: str | None) -> None:
    """Open the claims of a session: they last until its end, so that its tables are printed as it has made them."""
    global _session  # noqa: PLW0603  (Kedro makes the runner, which has no other way to learn of the session)
    end()
    _session = Claims(run_id)


def end() -> None:
    """Release what the session holds."""
    global _session  # noqa: PLW0603
    if _session:
        _session.close()
    _session = None


@contextmanager
def of_run(run_id: str | None) -> Iterator[Claims]:
    """Yield the session's claims, or without a session claims that end with the block."""
    if _session:
        yield _session
        return
    claims = Claims(run_id)
    try:
        yield claims
    finally:
        claims.close()
