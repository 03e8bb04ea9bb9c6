"""What is printed and logged, with control characters made visible."""

import logging
import re
from pathlib import Path

import pytest

from peft_pipelines.files.screen import Formatter, show, show_line

PACKAGE = Path(__file__).parents[2] / "src" / "peft_pipelines"
HOSTILE = "a\x1b[2J\nb\u202e"


def test_results_keep_their_lines(capfd: pytest.CaptureFixture[str]) -> None:
    show(HOSTILE)
    show_line(HOSTILE)
    assert capfd.readouterr() == ("a\\x1b[2J\nb\\u202e\n", "a\\x1b[2J\\nb\\u202e\n")


def test_a_logged_message_is_escaped() -> None:
    record = logging.LogRecord("name", logging.ERROR, "file", 1, "of %s", (HOSTILE,), None)
    assert Formatter("%(message)s").format(record) == "of a\\x1b[2J\nb\\u202e"


def test_nothing_else_prints() -> None:
    printing = re.compile(r"click\.s?echo\(|console\.print\(|std(out|err)\.write\(")
    sources = {path for path in PACKAGE.rglob("*.py") if printing.search(path.read_text(encoding="utf-8"))}
    assert {path.relative_to(PACKAGE).as_posix() for path in sources} == {
        "files/screen.py",
        "running/display.py",
        "cli/watch_command.py",
        "data/rendering.py",
    }
