"""What is printed and logged, with control characters made visible."""

import logging

import pytest

from peft_pipelines.files.screen import Formatter, show, show_line

HOSTILE = "a\x1b[2J\nb\u202e"


def test_results_keep_their_lines(capfd: pytest.CaptureFixture[str]) -> None:
    show(HOSTILE)
    show_line(HOSTILE)
    assert capfd.readouterr() == ("a\\x1b[2J\nb\\u202e\n", "a\\x1b[2J\\nb\\u202e\n")


def test_a_logged_message_is_escaped() -> None:
    record = logging.LogRecord("name", logging.ERROR, "file", 1, "of %s", (HOSTILE,), None)
    assert Formatter("%(message)s").format(record) == "of a\\x1b[2J\nb\\u202e"
