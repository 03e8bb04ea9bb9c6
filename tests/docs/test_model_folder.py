"""The page on adding a model: its tables are those of the gate."""

import re
from pathlib import Path

from peft_pipelines.models.fields import ATTENTION_FIELDS, CODE, ELSEWHERE, PACKED
from peft_pipelines.models.folder import BESIDE, READ, SHARDS
from peft_pipelines.models.weights import FLOATS

PAGE = (Path(__file__).parents[2] / "docs/adding.md").read_text(encoding="utf-8")
LINES = PAGE.partition("### What a model folder may hold")[2].partition("\n## ")[0].splitlines()


ROWS = [line.strip("| ").split(" | ", 1) for line in LINES if line.startswith("| ")]


def named(first: str = "", rest: str = "") -> set[str]:
    """What stands in backquotes in the first column of rows that have a text there, and one at the others' start."""
    rows = [row for row in ROWS if first in row[0] and len(row) > 1 and row[1].startswith(rest)]
    return {name for row in rows for name in code(row[0])}


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_files_that_are_read_are_those_of_the_gate() -> None:
    assert named(rest="read") == {*READ, SHARDS}


def test_the_files_that_may_lie_there_are_those_of_the_gate() -> None:
    assert named(rest="may lie there") == set(BESIDE)


def test_the_fields_that_are_refused_are_those_of_the_gate() -> None:
    shown = named(": refused")
    assert {*ELSEWHERE, *PACKED} <= shown
    assert shown <= {*CODE, *ELSEWHERE, *PACKED, *ATTENTION_FIELDS}


def test_the_kinds_of_tensors_are_those_of_the_gate() -> None:
    assert named("its name, shape and kind") == set(FLOATS)
