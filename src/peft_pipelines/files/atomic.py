"""Atomic writes of files and folders: a reader sees all of the new content or the old, whenever the process dies."""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from peft_pipelines.files.owner import Life, Owner, me
from peft_pipelines.files.system import sync

_OLD = "old"
_SCRATCH = re.compile(r"\.(?P<name>.+)\.(?P<owner>[0-9a-f]{8}_\d+_\d+)\.\w+\.part")
_UNOWNED = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}")
"""A scratch folder of an earlier release, which named no owner."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; the file or folder at it replaces ``path`` at the end.

    The content is synced to disk before the rename. An exception leaves ``path`` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{scratch_prefix(path)}{uuid4().hex}.part")
    with cleaned(partial(sweep, scratch)):
        scratch.mkdir(mode=0o700)
        fresh = scratch / path.name
        yield fresh
        _sync(fresh)
        if path.is_dir():
            os.replace(path, scratch / _OLD)
        os.replace(fresh, path)
        sync(path.parent)


@contextmanager
def creating(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside ``folder``, which becomes it at the end; an exception leaves nothing.

    Raises:
        FileExistsError: something stands there already, and stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f"{scratch_prefix(folder)}{uuid4().hex}.part")
    with cleaned(partial(shutil.rmtree, fresh, ignore_errors=True)):
        fresh.mkdir()
        yield fresh
        _sync(fresh)
        if os.path.lexists(folder):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
        os.rename(fresh, folder)  # which replaces no folder that holds anything
        sync(folder.parent)


@contextmanager
def cleaned(clean: Callable[[], object]) -> Iterator[None]:
    """Clean up behind the block; once more where an interrupt meets the cleaning itself, which may be half done."""
    try:
        try:
            yield
        finally:
            clean()
    except KeyboardInterrupt:
        clean()
        raise


def remove_folder(folder: Path) -> None:
    """Remove a folder as a whole: a process that dies meanwhile leaves scratch, never a part of the folder.

    Nothing happens where there is no folder.
    """
    scratch = folder.with_name(f"{scratch_prefix(folder)}{uuid4().hex}.part")
    with suppress(FileNotFoundError), cleaned(partial(shutil.rmtree, scratch, ignore_errors=True)):
        os.replace(folder, scratch)


def scratch_prefix(path: Path) -> str:
    """Return how the scratch of a file begins: it names the file and the process that owns the scratch."""
    return f".{path.name}.{me()}."


def left_behind(folder: Path, *, claimed: bool = False) -> list[Path]:
    """Return what processes that have died were writing in a folder, itself and not the folders in it.

    Args:
        folder: where to look; it need not be there.
        claimed: whether nobody else can be writing here. Then what another machine has left counts as well.
    """
    try:
        inside = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(Path(part.path) for part in inside if part.name.startswith(".") and _abandoned(part, claimed))


def sweep(scratch: Path) -> None:
    """Remove scratch that was left behind; the content that it was about to replace is put back first."""
    found = _SCRATCH.fullmatch(scratch.name) or _UNOWNED.fullmatch(scratch.name)
    assert found, f"'{scratch}' is no scratch"
    if not scratch.is_dir():
        scratch.unlink(missing_ok=True)
        return
    _put_back(scratch / _OLD, scratch.with_name(found["name"]))
    shutil.rmtree(scratch, ignore_errors=True)


def sweep_beside(path: Path) -> None:
    """Remove what processes that have died left of replacing a path; what they were about to replace is put back."""
    for scratch in left_behind(path.parent):
        found = _SCRATCH.fullmatch(scratch.name)
        if found and found["name"] == path.name:
            sweep(scratch)


def _abandoned(part: "os.DirEntry[str]", claimed: bool) -> bool:
    if found := _SCRATCH.fullmatch(part.name):
        life = Owner.of(found["owner"]).life
        return life is Life.DEAD or (claimed and life is Life.ELSEWHERE)
    if claimed and part.is_dir() and (found := _UNOWNED.fullmatch(part.name)):
        return {inside.name for inside in os.scandir(part)} <= {found["name"], _OLD}
    return False


def _put_back(old: Path, path: Path) -> None:
    if old.exists() and not path.exists():
        os.replace(old, path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8")


def write_json(path: Path, data: Any) -> None:
    """Write JSON atomically, readable and with keys in their given order."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _sync(path: Path) -> None:
    for part in [*path.rglob("*"), path] if path.is_dir() else [path]:
        sync(part)
