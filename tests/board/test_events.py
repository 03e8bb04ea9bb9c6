"""Events of the board: sent as something changes, failed looks among them, and over as soon as the board ends."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from boards import SECONDS, Board, chromium, opened, scratch_board, scratch_project, shown
from browser import Browser, needs_chromium

from peft_pipelines.board import queue_files, run_state
from peft_pipelines.board.project import Project

__all__ = ["chromium", "scratch_board"]

STATE = "document.getElementById('state').textContent"
LINE = "document.getElementById('line').textContent"


@contextmanager
def told(board: Board) -> Iterator[http.client.HTTPResponse]:
    """What the board tells of its environment smoke."""
    connection = http.client.HTTPConnection("127.0.0.1", board.port, timeout=SECONDS)
    connection.request("GET", "/run/events?env=smoke", headers={"Cookie": board.cookie})
    answer = connection.getresponse()
    try:
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        yield answer
    finally:
        answer.close()
        connection.close()


def event(answer: http.client.HTTPResponse) -> dict[str, Any]:
    """The next event."""
    while not (line := answer.readline().decode()).startswith("data: "):
        assert line
    return dict(json.loads(line.removeprefix("data: ")))


@pytest.fixture
def grid(scratch_board: Board) -> Iterator[Path]:
    """The grid of smoke, put back behind the test."""
    path = scratch_board.root / "conf/smoke/grid.yml"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def test_events_end_with_the_board(scratch_board: Board) -> None:
    with told(scratch_board) as answer:
        assert event(answer)["state"] == "idle"
        scratch_board.app.state.ending = True
        try:
            assert answer.read().strip() == b""  # no comment either, which comes where nothing changes
        finally:
            scratch_board.app.state.ending = False


def test_a_look_that_fails_is_told_and_others_follow(scratch_board: Board, grid: Path) -> None:
    before = grid.read_bytes()
    grid.write_text("methods: [lora\n", encoding="utf-8")
    with told(scratch_board) as answer:
        assert event(answer)["error"].startswith("conf/smoke/grid.yml, line 2, column 1: ")
        grid.write_bytes(before)
        assert event(answer)["state"] == "idle"


def test_what_nobody_expected_is_told_too(scratch_board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError("<b>\x1b")

    with monkeypatch.context() as patched, told(scratch_board) as answer:
        assert event(answer)["state"] == "idle"
        patched.setattr(run_state, "_end_of", broken)
        line = "This could not be done (ZeroDivisionError: <b>\\x1b). The board's log says more."
        assert event(answer) == {"error": line}


@needs_chromium
def test_the_page_run_says_why_nothing_is_known(scratch_board: Board, chromium: Browser, grid: Path) -> None:
    before = grid.read_bytes()
    page = opened(chromium, scratch_board, "/run?env=smoke")
    page.waited(f"{STATE} === 'Nothing runs'")
    grid.write_text("methods: [lora\n", encoding="utf-8")
    page.waited(f"{STATE} === 'Not known'")
    assert page.value(LINE).startswith("conf/smoke/grid.yml, line 2, column 1: ")
    grid.write_bytes(before)
    page.waited(f"{STATE} === 'Nothing runs'")
    assert page.value("document.getElementById('line').className") == ""
    page._ask("Network.clearBrowserCookies")
    page.value("dispatchEvent(new Event('pagehide')), dispatchEvent(new Event('pageshow'))")
    page.waited(f"{LINE}.startsWith('The board refuses this page: open the address')")
    assert page.value(STATE) == "Not known"


@needs_chromium
def test_the_page_run_says_that_the_board_is_gone(chromium: Browser, tmp_path: Path) -> None:
    with shown(scratch_project(tmp_path)) as board:
        page = opened(chromium, board, "/run?env=smoke")
        page.waited(f"{STATE} === 'Nothing runs'")
    page.waited(f"{STATE} === 'Not known' && {LINE}.startsWith('The board does not answer')")


@needs_chromium
def test_a_number_of_workers_that_is_none_is_not_queued(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/run?env=smoke")
    page.value("document.getElementById('workers').focus()")
    page.write("-")
    page.value("document.getElementById('queue').click()")
    assert page.value("[document.activeElement.id, document.getElementById('queue').disabled]") == ["workers", False]
    assert queue_files.waiting(Project(scratch_board.root)) == []
