"""What people see: lines in a log, bars on a terminal."""

import logging
import sys
from io import StringIO

import pytest
from rich.console import Console

from peft_pipelines.files import progress
from peft_pipelines.running.display import Lines, Terminal, display


def test_a_log_gets_lines() -> None:
    said: list[str] = []
    with Lines(said.append) as shown:
        shown.plan(3, skipped=1)
        shown.skip("a · m · t · s0", "unchanged")
        shown.begin("b · m · t · s0")
        shown.phase("train")
        shown.end("b · m · t · s0", "accuracy 50.0 %, 3 s")
    assert said == [
        "1 of 3 cells are unchanged",
        "[1/3] a · m · t · s0: unchanged",
        "[2/3] b · m · t · s0: accuracy 50.0 %, 3 s",
    ]


def test_a_terminal_gets_bars_and_what_is_printed_stands_above_them() -> None:
    screen = StringIO()
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)
    with Terminal(Console(file=screen, force_terminal=True, width=120)) as shown:
        shown.plan(3, skipped=1)
        shown.skip("a · m · t · s0", "unchanged")
        shown.begin("b · m · t · s0")
        shown.phase("train")
        progress.step("train", 7, 9)
        shown._live.refresh()
        print("a print")  # noqa: T201  (what a library may do)
        logging.getLogger("some.library").warning("a warning of the log")
        shown.end("b · m · t · s0", "accuracy 50.0 %, 3 s")
        shown._live.refresh()
    logging.getLogger().removeHandler(handler)
    text = screen.getvalue()
    for part in (
        "1/3",
        "2/3",
        "b · m · t · s0: train",
        "7/9",
        "a print",
        "a warning of the log",
    ):
        assert part in text
    assert "[2/3] b · m · t · s0: accuracy 50.0 %, 3 s" in text
    assert handler.stream is sys.stderr


def test_cells_side_by_side_have_a_bar_each() -> None:
    screen = StringIO()
    with Terminal(Console(file=screen, force_terminal=True, width=120)) as shown:
        shown.plan(3, skipped=0)
        for place, title in enumerate("ab"):
            shown.begin(title, place)
            shown.phase("train", place)
            shown.step("training", 3 + place, 9, place)
        shown._live.refresh()
        now = shown.progress.now()
        assert {(each.title, each.phase, each.done, each.total) for each in now.doing} == {
            ("a", "training", 3, 9),
            ("b", "training", 4, 9),
        }
        assert all(part in screen.getvalue() for part in ("a: training", "b: training", "3/9", "4/9"))
        shown.end("a", "accuracy 50.0 %, 3 s")
        assert [each.title for each in shown.progress.now().doing] == ["b"]
        shown.begin("c", 0)
        shown.phase("train", 0)
        shown.begin("", 1)
        shown.step("training", 5, 9, 1)
        assert [(each.title, each.phase) for each in shown.progress.now().doing] == [("c", "train")]


def test_text_from_outside_is_escaped_in_bars() -> None:
    screen = StringIO()
    with Terminal(Console(file=screen, force_terminal=True, width=120)) as shown:
        shown.begin("a\x1b[2J[bold]")
        shown._live.refresh()
    assert "a\\x1b[2J[bold]" in screen.getvalue()


def test_no_bars_in_continuous_integration_or_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(display()) is Lines
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("CI", "true")
    assert type(display()) is Lines
    monkeypatch.delenv("CI")
    assert type(display()) is Terminal


def test_a_cell_that_another_run_has_made_counts_as_done_at_once() -> None:
    with Lines(lambda line: None) as shown:
        shown.plan(5, skipped=3)
        shown.skip("a · m · t · s0", "made by run r", elsewhere=True)
        assert shown.progress.now().unchanged == 4
        for seed in range(3):
            shown.skip(f"b · m · t · s{seed}", "unchanged")
        assert shown.progress.now().unchanged == 4
