"""Ctrl-C at any line of a write leaves the old content or the new, and no scratch."""

import contextlib
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from peft_pipelines.files import atomic, claim_file
from peft_pipelines.files.claim_file import Holder

TRACED = {module.__file__ for module in (atomic, claim_file, contextlib)}
ME, OTHER = (Holder("run", "host", 1, "owner", "now", token) for token in ("mine", "other"))


def interrupted(work: Callable[[Path], object], folder: Path, line: int) -> bool:
    """Whether a line was reached, which raises; counted over the modules that write and the one of `with`."""
    seen = [0]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in TRACED:
            return None
        seen[0] += event in ("call", "line")
        if seen[0] == line:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(folder)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return seen[0] >= line


def write(folder: Path) -> None:
    atomic.write_json(folder / "it", {"new": 1})


def replace(folder: Path) -> None:
    with atomic.replacing(folder / "it") as fresh:
        fresh.mkdir()
        (fresh / "new").touch()


def create(folder: Path) -> None:
    with atomic.creating(folder / "it") as fresh:
        (fresh / "new").touch()


def an_old_file(folder: Path) -> None:
    (folder / "it").write_text("old", encoding="utf-8")


def an_old_folder(folder: Path) -> None:
    (folder / "it").mkdir()
    (folder / "it/old").touch()


def claim(folder: Path, holder: Holder = ME) -> None:
    claim_file.made(folder / "it", holder)


def read(path: Path) -> object:
    """What stands at a path: a text, or the names in a folder."""
    if path.is_dir():
        return sorted(part.name for part in path.iterdir())
    return path.read_text(encoding="utf-8") if path.exists() else None


WRITES: dict[str, tuple[Callable[[Path], None], Callable[[Path], object]]] = {
    "a file": (an_old_file, write),
    "a folder": (an_old_folder, replace),
    "a new folder": (lambda _: None, create),
    "a folder's end": (an_old_folder, lambda folder: atomic.remove_folder(folder / "it")),
    "a claim": (lambda _: None, claim),
    "a claim's end": (claim, lambda folder: claim_file.remove(folder / "it", ME)),
    "another's claim": (lambda folder: claim(folder, OTHER), lambda folder: claim_file.remove(folder / "it", ME)),
}


@pytest.mark.parametrize("name", WRITES)
def test_an_interrupt_at_any_line_leaves_no_scratch(name: str, tmp_path: Path) -> None:
    begin, work = WRITES[name]
    found = []
    for line in count(1):
        folder = tmp_path / str(line)
        folder.mkdir()
        begin(folder)
        old = read(folder / "it")
        reached = interrupted(work, folder, line)
        assert {part.name for part in folder.iterdir()} <= {"it"}, f"line {line}"
        found.append(read(folder / "it"))
        if not reached:
            break
    assert found[0] == old and {str(each) for each in found} == {str(old), str(found[-1])}
    assert len(found) > 20
