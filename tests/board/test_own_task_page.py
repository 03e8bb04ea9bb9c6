"""A task of one's own on the board: the file that is sent, and kedro add-task asked by a list of words."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from board_runs import running_board
from boards import Board, chromium, opened, scratch_board
from browser import Browser, needs_chromium

from peft_pipelines.board.own_task_page import OwnTask

__all__ = ["chromium", "running_board", "scratch_board"]

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
CSV = "text,team\n" + "".join(f"{HOSTILE} line {number},{'red' if number % 2 else 'blue'}\n" for number in range(60))


def sent(board: Board, name: str, body: str) -> tuple[int, dict[str, Any]]:
    status, text, _ = board.sent("POST", f"/grid/own/file?name={quote(name)}", body)
    return status, json.loads(text)


def test_a_file_is_kept_outside_the_project_under_a_name_of_the_boards(scratch_board: Board) -> None:
    status, found = sent(scratch_board, "../../etc/x.csv", CSV)
    assert status == 200 and found["columns"] == ["text", "team"] and found["count"] == 60
    assert found["rows"][0]["team"] == "blue" and "/" not in found["file"] and found["file"].endswith(".csv")
    assert not list(scratch_board.root.rglob("*.csv"))


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("x.exe", CSV, "must be one of .csv, .jsonl, .parquet, got 'x.exe'"),
        ("x.csv", "", "holds no rows"),
        ("x.csv", "a,b\n", "holds no rows"),
        ("x.jsonl", "nothing\n", "raw rows"),
        ("x.parquet", "nothing", "cannot be read as Parquet"),
    ],
)
def test_a_file_without_rows_is_refused_in_words(scratch_board: Board, name: str, body: str, reason: str) -> None:
    status, found = sent(scratch_board, name, body)
    assert status == 422 and reason in found["error"]


def test_what_is_typed_is_no_option_of_the_command() -> None:
    asked = OwnTask(file="f", shown="s", name="--help", input="--env=x", label="; rm -rf /", words={"a": "b", "c": " "})
    assert asked.command("f.csv") == [
        "add-task",
        "--input=--env=x",
        "--label=; rm -rf /",
        "--word=a=b",
        "--dry-run",
        "--",
        "--help",
        "f.csv",
    ]


def test_a_file_that_is_gone_is_told(scratch_board: Board) -> None:
    body = {"file": "../x.csv", "shown": "x.csv", "name": "x", "input": "{text}", "label": "team"}
    headers = {"Content-Type": "application/json"}
    status, text, _ = scratch_board.sent("POST", "/grid/own/task", json.dumps(body), **headers)
    assert status == 422 and json.loads(text)["error"] == "the file: is no longer here; choose it again"


@needs_chromium
def test_a_file_becomes_a_task_by_three_prompts(running_board: Board, chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(CSV, encoding="utf-8")
    base = running_board.root / "conf/base/grid.yml"
    base.write_text("methods: [zero_shot]\nmodels: [tiny]\ntasks: [mood]\nseeds: [s0]\n", encoding="utf-8")
    own = yaml.safe_load((running_board.root / "conf/local/parameters.yml").read_text(encoding="utf-8"))
    rows = {axis: own[axis] for axis in ("models", "tasks")}
    (running_board.root / "conf/base/parameters/tiny.yml").write_text(yaml.safe_dump(rows), encoding="utf-8")
    page = opened(chromium, running_board, "/grid/own?env=local")
    page.patience = 300
    page.choose_file("#file", tmp_path / "mine.csv")
    page.waited("document.getElementById('facts').textContent === '60 rows, 2 columns'")
    page.value("document.querySelector('[name=name]').focus()")
    page.write("teams")
    page.click("#try")
    page.waited("document.querySelectorAll('#answer mark').length || document.getElementById('wrong').textContent")
    assert page.value("document.getElementById('wrong').textContent") == ""
    assert page.value("document.querySelectorAll('#answer mark').length") == 3
    assert HOSTILE in page.value("document.getElementById('answer').textContent")
    page.click("#write")
    page.waited("!document.getElementById('next').hidden")
    assert (running_board.root / "conf/teams/grid.yml").is_file()
    assert page.value("document.title").startswith("A task of your own") and page.said == []
