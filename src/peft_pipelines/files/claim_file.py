"""The file of a claim: how it is made where there is none, read, and removed, on any file system."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from peft_pipelines.files import system
from peft_pipelines.files.atomic import cleaned, read_json, scratch_prefix

_GUARD = 5.0
"""Seconds to wait for another process to leave a folder's guard."""


@dataclass(frozen=True)
class Holder:
    """The holder of a claim: its run, its machine's name, its process, since when (UTC), and what tells it apart."""

    run_id: str | None
    host: str
    pid: int
    owner: str
    since: str
    token: str

    def __str__(self) -> str:
        return f"run {self.run_id} on {self.host} (process {self.pid})"


def made(path: Path, holder: Holder) -> bool:
    """Write a claim where there is none. It appears with its whole content."""
    scratch = path.with_name(f"{scratch_prefix(path)}{holder.token}.part")
    with cleaned(partial(scratch.unlink, missing_ok=True)):
        try:
            scratch.write_text(json.dumps(asdict(holder)), encoding="utf-8")
            os.link(scratch, path)
        except FileExistsError:
            return False
        except OSError as error:
            if not scratch.exists() or error.filename2 is None:
                raise
            return _made_without_links(path, scratch.read_bytes())
        return True


def _made_without_links(path: Path, content: bytes) -> bool:
    """The same on a file system that knows no second name of a file."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as claim:
        claim.write(content)
    return True


def holder_of(path: Path) -> Holder | None:
    """Return the holder of a claim, None where there is no claim; of one that cannot be read nobody is known."""
    try:
        found: dict[str, Any] = read_json(path)
        return Holder(**found)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return Holder(None, "unknown", 0, "", "", "")


def touched(path: Path) -> object:
    """Return what changes with each touch. The file is opened first: only then is a network's server asked."""
    with suppress(FileNotFoundError), path.open("rb") as handle:
        facts = os.fstat(handle.fileno())
        return facts.st_mtime_ns, facts.st_ino
    return None


def remove(path: Path, holder: Holder) -> None:
    """Remove a holder's claim. It is moved away first; if it turns out to be another one's, that one gets it back."""
    aside = path.with_name(f"{scratch_prefix(path)}{uuid4().hex}.part")
    with suppress(FileNotFoundError), cleaned(partial(_drop, aside, path, holder)):
        os.rename(path, aside)


def _drop(aside: Path, path: Path, holder: Holder) -> None:
    if holder_of(aside) not in (holder, None):
        with suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Let one process at a time in, where the file system has locks that its machines share; elsewhere do nothing."""
    if system.WINDOWS:  # no folder can be opened there
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        patience = monotonic() + _GUARD
        while monotonic() < patience:
            try:
                system.lock(handle)
                break
            except BlockingIOError:
                sleep(0.01)
        yield
    finally:
        os.close(handle)
