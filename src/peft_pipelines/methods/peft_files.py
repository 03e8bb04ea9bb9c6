"""The files of ``peft`` on disk, which a custom method's code must not change."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft

FOLDER = Path(peft.__file__).resolve().parent
CHANGES = ("os.rename", "os.remove", "os.truncate", "os.link", "os.symlink")

_watching = False
_installed = False


@contextmanager
def untouched() -> Iterator[None]:
    """Refuse code of this process to change the library's files while the block lasts.

    Some packages add their name to the source of ``PeftType`` when they are imported, which would change the library
    for everything that uses it.

    Raises:
        PermissionError: in the code that tries to.
    """
    global _watching, _installed  # noqa: PLW0603  (an audit hook is of the process, and cannot be taken away)
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    before, _watching = _watching, True
    try:
        yield
    finally:
        _watching = before


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watching or (event != "open" and event not in CHANGES):
        return
    paths = args[:1] if event == "open" else args[:2]
    if event == "open" and not _writes(*args[1:3]):
        return
    for path in paths:
        if isinstance(path, str | bytes | os.PathLike) and _is_source(Path(os.fsdecode(path))):
            raise PermissionError(f"'{os.fsdecode(path)}' is a file of peft, which a method must not change")


def _writes(mode: str | None, flags: int) -> bool:
    return bool(set(mode or "") & set("wax+")) or bool(flags & (os.O_WRONLY | os.O_RDWR))


def _is_source(path: Path) -> bool:
    """Whether a path is one of the library's, Python's own caches of bytecode left out."""
    whole = Path(os.path.abspath(path))
    return "__pycache__" not in whole.parts and whole.resolve().is_relative_to(FOLDER)
