"""The process that owns a file: a name for it that no other process has, and whether it still lives."""

import hashlib
import os
import socket
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


class Life(Enum):
    """What can be known here of a process."""

    ALIVE, DEAD, ELSEWHERE = "alive", "dead", "elsewhere"
    """The last: it runs, or ran, on another machine, before a restart of this one or in another container."""


@dataclass(frozen=True)
class Owner:
    """A process: its machine (with the start of the system and the container), its number and when it began.

    A number is given again to later processes, so the beginning belongs to it. It is counted from the start of the
    system: a clock that is set back does not change it.
    """

    machine: str
    pid: int
    began: int

    def __str__(self) -> str:
        """The owner as part of a file's name.

        >>> str(Owner("0a1b2c3d", 71, 9000))
        '0a1b2c3d_71_9000'
        """
        return f"{self.machine}_{self.pid}_{self.began}"

    @classmethod
    def of(cls, text: str) -> "Owner":
        """Read an owner from its text; ValueError where it is none.

        >>> Owner.of("0a1b2c3d_71_9000").pid
        71
        """
        machine, pid, began = text.split("_")
        return cls(machine, int(pid), int(began))

    @property
    def life(self) -> Life:
        """Whether the process lives. One that has ended and was not waited for is dead."""
        if self.machine != _machine():
            return Life.ELSEWHERE
        return Life.ALIVE if _began(self.pid) == self.began else Life.DEAD


def me() -> Owner:
    """Return this process as an owner; after a fork the child is one of its own."""
    return _owner(os.getpid())


def of_process(pid: int) -> Owner | None:
    """Return a process of this machine as an owner; None for one that is not there or has ended."""
    began = _began(pid)
    return None if began is None else Owner(_machine(), pid, began)


@cache
def _owner(pid: int) -> Owner:
    began = _began(pid)
    assert began is not None, "a process that asks is alive"
    return Owner(_machine(), pid, began)


@cache
def _machine() -> str:
    parts = [socket.gethostname(), *(_text(_PROC / name) for name in ("sys/kernel/random/boot_id", "self/ns/pid"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _text(path: Path) -> str:
    """A file's text or a link's target; empty where the system has none."""
    try:
        return os.readlink(path) if path.is_symlink() else path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _began(pid: int) -> int | None:
    """When a process began, in ticks since the start of the system; None for one that is not there or has ended."""
    if not (_PROC / "self" / "stat").exists():
        import psutil  # noqa: PLC0415  (systems without /proc)

        try:
            process = psutil.Process(pid)
            ended = process.status() == psutil.STATUS_ZOMBIE  # it was not waited for
            return None if ended else round(process.create_time() * 100)
        except psutil.Error:
            return None
    # the name of the program, in brackets, may hold blanks and brackets itself
    state, *fields = _text(_PROC / str(pid) / "stat").rpartition(")")[2].split() or [""]
    return int(fields[18]) if state and state not in "ZX" else None
