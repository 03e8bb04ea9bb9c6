"""A task of one's own on the board: the file that is sent, and kedro add-task asked by a list of words."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from boards import Board, chromium, opened, scratch_board
from browser import Browser, needs_chromium
from starlette.requests import ClientDisconnect

from peft_pipelines.board import uploads
from peft_pipelines.board.own_task_page import OwnTask
from peft_pipelines.config.errors import ConfigError

__all__ = ["chromium", "scratch_board"]

CSV = "text,team\n" + "".join(f"line {number},{'red' if number % 2 else 'blue'}\n" for number in range(60))


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
        ("x.jsonl", "nothing\n", "raw rows: file 'x.jsonl', line 1"),
        ("x.parquet", "nothing", "raw rows: file 'x.parquet' cannot be read as Parquet"),
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


def test_a_file_that_is_too_large_is_told_once_it_was_sent(
    scratch_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    status, found = sent(scratch_board, "x.csv", CSV * 50_000)
    assert status == 422 and found["error"].startswith("the file: must be at most")


def test_nothing_stays_of_a_file_that_is_refused_or_breaks_off(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"text,team\n"
        raise ClientDisconnect

    path = tmp_path / "abc.csv"
    with pytest.raises(ClientDisconnect):
        asyncio.run(uploads.receive(body(), path))
    assert not path.exists()
    path.write_text("a,a\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^raw rows: file 'mine.csv', line 1: two columns are named 'a'$"):
        uploads.looked_at(path, "mine.csv")
    assert not path.exists()


@pytest.mark.parametrize("words", [{"a": "\0"}, {str(number): "x" * 20_000 for number in range(500)}])
def test_what_no_command_can_have_is_told(scratch_board: Board, words: dict[str, str]) -> None:
    _, kept = sent(scratch_board, "x.csv", CSV)
    body = {"file": kept["file"], "shown": "x.csv", "name": "x", "input": "{text}", "label": "team", "words": words}
    headers = {"Content-Type": "application/json"}
    status, text, _ = scratch_board.sent("POST", "/grid/own/task", json.dumps(body), **headers)
    assert status == 422 and json.loads(text)["error"].startswith("kedro add-task: cannot be asked: ")


def test_a_file_that_is_gone_is_told(scratch_board: Board) -> None:
    body = {"file": "../x.csv", "shown": "x.csv", "name": "x", "input": "{text}", "label": "team"}
    headers = {"Content-Type": "application/json"}
    status, text, _ = scratch_board.sent("POST", "/grid/own/task", json.dumps(body), **headers)
    assert status == 422 and json.loads(text)["error"] == "the file: is no longer here; choose it again"


HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@needs_chromium
@pytest.mark.parametrize("ending", [".csv", ".exe"])
def test_hostile_names_of_files_and_columns_stay_text(
    scratch_board: Board, chromium: Browser, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"{HOSTILE}{ending}"
    path.write_text(f"{HOSTILE.replace(chr(34), '')},team\n" + "line,red\nline,blue\n", encoding="utf-8")
    page = opened(chromium, scratch_board, "/grid/own")
    page.choose_file("#file", path)
    said = {".csv": "facts", ".exe": "wrong-file"}[ending]
    page.waited(f"/rows, 2 columns|must be one of/.test(document.getElementById('{said}').textContent)")
    assert "<img src=x" in page.value("document.body.textContent")
    assert page.value("document.querySelectorAll('main img, #own img').length") == 0
    assert page.value("document.title") == "A task of your own · the board"
    assert [line for line in page.said if "422" not in line] == []  # the board's refusal is no news
