"""Processes that die on purpose: before an operation on files, in the middle of a file, or after some work.

All file operations beneath a store are seen by an audit hook, before they happen. What a library writes without Python
(tensors, tables) is seen only as the operations around it; a limit on the size of files kills in the middle of it.
"""

import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

PACKAGE = "peft_pipelines"
RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d[.:]\d\d[.:]\d\d[.:]\d{6}Z")
SCRATCH = re.compile(r"(\.[^/]+)\.[0-9a-f]{8}_\d+_\d+\.\w+\.part")
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.utime")
FOLDERS = {"os.mkdir": 2, "os.rename": 2, "os.link": 2}
"""Where an event has the folder that its path starts from, as an open file; else it is the last of two."""
DEADLY = (-signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGPROF)


class Operation(NamedTuple):
    """An operation on files: what, the path in the store without what each run draws anew, and our own functions."""

    event: str
    path: str
    functions: tuple[str, ...]

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it apart in another run: event, path and the innermost function of ours."""
        return self.event, self.path, self.functions[0] if self.functions else ""


@dataclass(frozen=True)
class Death:
    """When to die: before an operation, where it comes for the n-th time; with ``size``, at the first file that grows
    beyond so many bytes from there on; or after so many CPU seconds of work on the store."""

    before: tuple[str, str, str] | None = None
    times: int = 1
    size: int | None = None
    seconds: float | None = None


def settled(path: str) -> str:
    """A path without what each run draws anew.

    >>> settled("a/2026-11-29T03.26.45.335512Z/.b.json.0a1b2c3d_71_9000.x1_y.part/b.json")
    'a/RUN/.b.json.part/b.json'
    """
    return SCRATCH.sub(r"\1.part", RUN.sub("RUN", path))


class Watch:
    """An audit hook that writes each operation beneath a folder to a file, and dies at the moment that it is given."""

    def __init__(self, store: Path, death: Death, trace: Path) -> None:
        self._root, self._death = f"{os.path.abspath(store)}/", death
        self._trace = os.open(trace, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._begun = self._bounded = False
        self._times = 0
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not (event in CHANGES or (event == "open" and _writes(arguments))):
            return
        path = _path(event, arguments)
        if not path.startswith(self._root):
            return
        frame = sys._getframe(1)
        self._seen(Operation(event, settled(path.removeprefix(self._root)), tuple(_functions(frame))))

    def _seen(self, operation: Operation) -> None:
        if not self._begun and self._death.seconds is not None:
            signal.setitimer(signal.ITIMER_PROF, self._death.seconds)
        self._begun = True
        if not self._bounded:
            os.write(self._trace, f"{json.dumps(operation)}\n".encode())
        self._times += operation.place == self._death.before
        if self._times == self._death.times and not self._bounded:
            self._die()

    def _die(self) -> None:
        if self._death.size is None:
            os.kill(os.getpid(), signal.SIGKILL)
        self._bounded = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._death.size, resource.RLIM_INFINITY))


def read(trace: Path) -> list[Operation]:
    """The operations that a process has written down."""
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    return [Operation(event, path, tuple(functions)) for event, path, functions in lines]


def _writes(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _path(event: str, arguments: tuple[Any, ...]) -> str:
    if isinstance(arguments[0], int):
        return ""
    path = os.fsdecode(arguments[0])
    folder = arguments[FOLDERS.get(event, 1)] if event in CHANGES else -1
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(path):
        path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
    return os.path.abspath(path)


def _functions(frame: FrameType | None) -> Iterator[str]:
    while frame:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(f"{PACKAGE}."):
            yield f"{module.removeprefix(f'{PACKAGE}.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
