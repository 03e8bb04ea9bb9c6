"""From a file of rows to an answer of the model that was tuned on it, with no word on the command line."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from board_runs import running_board
from boards import Board, chromium, listened, opened, said
from browser import Browser, needs_chromium

from peft_pipelines.board import launch
from peft_pipelines.board.project import Project

__all__ = ["chromium", "running_board"]

SECONDS = 600
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
CSV = "text,team\n" + "".join(f"{HOSTILE} line {number},{'red' if number % 2 else 'blue'}\n" for number in range(80))
STATE = "document.getElementById('state').textContent"
LINE = "document.getElementById('line').textContent"
CURVE = "document.querySelector('svg.curve polyline')?.getAttribute('points').split(' ').length > 1"


@pytest.fixture
def board_of_tiny(running_board: Board) -> Iterator[Board]:
    """A board over a project whose base has a tiny model; what it runs ends with the test."""
    conf = running_board.root / "conf"
    rows = yaml.safe_load((conf / "local/parameters.yml").read_text(encoding="utf-8"))
    own = {axis: rows[axis] for axis in ("models", "tasks")}
    (conf / "base/parameters/tiny.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    grid = {"methods": ["zero_shot"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    (conf / "base/grid.yml").write_text(yaml.safe_dump(grid), encoding="utf-8")
    yield running_board
    if launch.process_of(Project(running_board.root), "teams"):
        launch.stop(Project(running_board.root), "teams")


def typed(page: Browser, field: str, text: str) -> None:
    """Write a text in place of the one that a field has."""
    page.value(f"document.querySelector({field!r}).focus(), document.querySelector({field!r}).select()")
    page.write(text)


def add_task(page: Browser, board: Board, file: Path) -> None:
    page.choose_file("#file", file)
    page.waited("document.getElementById('facts').textContent === '80 rows, 2 columns'")
    typed(page, "[name=name]", "teams")
    page.click("#try")
    page.waited("document.querySelectorAll('#answer mark').length || document.getElementById('wrong').textContent")
    assert page.value("document.getElementById('wrong').textContent") == ""
    assert page.value("document.querySelectorAll('#answer mark').length") == 3
    assert HOSTILE in page.value("document.getElementById('answer').textContent")
    page.click("#write")
    page.waited("!document.getElementById('next').hidden")
    assert (board.root / "conf/teams/grid.yml").is_file()


def choose_methods(page: Browser, board: Board) -> None:
    for name in ("lora", "ia3"):
        page.value(f"document.querySelector('[name=methods][value={name}]').focus()")
        page.press(" ", " ")
    typed(page, "#training-epochs", "150")
    page.waited("document.getElementById('cells').textContent === '3 cells'")
    listened(page)
    page.value("document.getElementById('save').focus()")  # what the plan says may move it under a mouse
    page.press("Enter", "\r")
    page.waited(said("Written: conf/teams/grid.yml"))
    assert yaml.safe_load((board.root / "conf/teams/parameters.yml").read_text())["training"] == {"epochs": 150}


@contextmanager
def paused(board: Board) -> Iterator[None]:
    """Let what trains wait for the browser, however slow that is."""
    process = launch.process_of(Project(board.root), "teams")
    assert process
    os.killpg(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(process, signal.SIGCONT)


def run(page: Browser, board: Board) -> None:
    """Start, follow, reload, stop, and go on to the end."""
    page.waited(f"{STATE} === 'Nothing runs'")
    page.click("#start")
    page.waited(CURVE)
    with paused(board):
        page.look(width=1300)
        page.waited(CURVE)
        assert page.value("document.getElementById('start').disabled") is True
        page.value("document.getElementById('stop').focus()")
    page.press("Enter", "\r")
    page.waited(f"{STATE} === 'Nothing runs'")
    assert "interrupted" in page.value(LINE) or "dead" in page.value(LINE)  # ended by force where it takes too long
    page.click("#start")
    page.waited(f"{STATE} === 'Running'")
    page.waited(f"{STATE} === 'Nothing runs'")
    assert page.value(LINE).endswith("has ended: done")


def ask(page: Browser) -> None:
    page.click("input[value='lora.tiny.teams.s0']")
    page.value("document.getElementById('text').focus()")
    page.write("line 1")
    page.click("#send")
    page.waited("!document.getElementById('send').disabled && document.querySelector('.said')")
    assert page.value("document.getElementById('wrong').textContent") == ""
    assert page.value("document.querySelector('.said').textContent") != ""


@needs_chromium
def test_a_file_becomes_a_tuned_model_that_answers(board_of_tiny: Board, chromium: Browser, tmp_path: Path) -> None:
    board, page = board_of_tiny, chromium
    page.patience = SECONDS
    (tmp_path / "mine.csv").write_text(CSV, encoding="utf-8")
    add_task(opened(page, board, "/grid/own"), board, tmp_path / "mine.csv")
    page.open(f"{board.address}/grid?env=teams")
    choose_methods(page, board)
    page.open(f"{board.address}/run?env=teams")
    run(page, board)
    page.open(f"{board.address}/results/report?env=teams")
    assert "than the untuned model (zero_shot)" in page.value("document.getElementById('summary').textContent")
    page.open(f"{board.address}/try?env=teams")
    ask(page)
    assert page.said == [] and page.value("document.title") == "Try · the board"
