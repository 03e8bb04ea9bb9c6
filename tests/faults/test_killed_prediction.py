"""A prediction whose processes are killed, one after the other, goes on and ends in the bytes of a whole one."""

import json
import signal
from pathlib import Path

import deaths
from deaths import Death, Operation
from killed import TRACE, at
from killed_prediction import SOURCE, ended
from project import ROWS, Project, project
from recorded import original, recorded

__all__ = ["original", "project", "recorded"]

PARTS, OUT = ".out.jsonl.parts", "out.jsonl"
HALF = 20
"""Bytes that a part of two rows goes beyond."""


def rename_of(whole: list[Operation], name: str) -> int:
    """The rename that puts a file of this name where it belongs."""
    (found,) = (index for index, one in enumerate(whole) if (one.event, Path(one.path).name) == ("os.rename", name))
    return found


def opening_of(whole: list[Operation], name: str) -> int:
    return next(index for index, one in enumerate(whole) if (one.event, Path(one.path).name) == ("open", name))


def left() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if "out.jsonl" in path.name)


def test_it_goes_on_wherever_it_is_killed(recorded: Project) -> None:
    Path(SOURCE).write_text("".join(f"{json.dumps(row)}\n" for row in ROWS[:8]))
    assert ended(recorded, OUT, Death()) == 0
    whole, expected = deaths.read(Path(TRACE)), Path(OUT).read_bytes()
    assert len(expected.splitlines()) == 8 and left() == [OUT]
    Path(OUT).unlink()
    for death, number, done in [
        (at(whole, rename_of(whole, "000001.jsonl")), signal.SIGKILL, 1),
        (at(whole, opening_of(whole, "000002.jsonl"), HALF), signal.SIGXFSZ, 2),
        (at(whole, rename_of(whole, OUT)), signal.SIGKILL, 4),
        (at(whole, rename_of(whole, PARTS)), signal.SIGKILL, 4),
    ]:
        assert not Path(OUT).exists()
        assert ended(recorded, OUT, death) == -number
        parts = sorted(Path(PARTS).glob("0*.jsonl"))
        assert [part.name for part in parts] == [f"{one:06d}.jsonl" for one in range(done)]
        assert all(len(part.read_text().splitlines()) == 2 for part in parts)
    assert Path(OUT).read_bytes() == expected
    Path(OUT).unlink()
    assert ended(recorded, OUT, Death()) == 0
    assert Path(OUT).read_bytes() == expected
    assert left() == [OUT]
