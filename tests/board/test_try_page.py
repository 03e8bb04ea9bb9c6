"""The page Try in Chromium: questions that stream, stop and fail in words, predictions, and hostile texts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import fake_model
import psutil
import pytest
from boards import Board, chromium, opened, scratch_project, shown
from browser import Browser, needs_chromium
from recorded import LORA, ZERO
from stored_runs import HOSTILE, original, results_board

from peft_pipelines.board import model_line

__all__ = ["chromium", "original", "results_board"]

SAID = "[...document.querySelectorAll('.said')].map(one => one.textContent)"
DONE = "!document.getElementById('send').disabled"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_line, "COMMAND", (sys.executable, fake_model.__file__))


@pytest.fixture
def page(results_board: Board, chromium: Browser) -> Iterator[Browser]:
    found = opened(chromium, results_board, f"/try?cell={ZERO}")
    yield found
    results_board.sent("POST", "/try/release", "{}")


def ask(page: Browser, text: str, *cells: str) -> None:
    for cell in cells:
        page.click(f"input[value='{cell}']")
    page.value("document.getElementById('text').value = ''")
    page.value("document.getElementById('text').focus()")
    page.write(text)
    page.click("#send")


def said(page: Browser) -> str:
    return str(page.value("document.body.textContent"))


@needs_chromium
def test_cells_answer_side_by_side_and_the_prompt_is_shown(page: Browser) -> None:
    assert page.value("document.querySelector('input[name=cell]:checked').value") == ZERO
    ask(page, "Is it good?", LORA, "zero_shot")
    page.waited(DONE)
    assert page.value(SAID) == ["Is it good?0"] * 3
    assert page.value("[...document.querySelectorAll('#answers h3')].map(one => one.textContent)") == [
        *(LORA, ZERO, "zero_shot")
    ]
    assert page.value("document.querySelector('.seen pre').textContent") == "<|im_start|>user\nIs it good?"
    assert f"kedro chat {LORA} --beside {ZERO}\nkedro chat {LORA} --beside zero_shot" in said(page)
    assert "3 tokens in 0.50 s" in said(page) and page.said == []


@needs_chromium
def test_a_conversation_goes_on_until_a_new_one_begins(page: Browser) -> None:
    page.click("input[value=talk]")
    ask(page, "one")
    page.waited(DONE)
    ask(page, "two")
    page.waited(DONE)
    assert page.value(SAID) == ["one0", "two1"]
    assert f"kedro chat {ZERO} --no-instruction" in said(page)
    page.click("#fresh")
    ask(page, "three")
    page.waited(DONE)
    assert page.value(SAID) == ["three0"]


@needs_chromium
def test_an_answer_is_stopped_and_the_focus_kept(page: Browser) -> None:
    ask(page, "endless")
    page.waited(f"{SAID}[0]?.length > 3")
    assert page.value("document.getElementById('stop').disabled") is False
    page.click("#stop")
    page.waited(DONE)
    assert "stopped" in said(page) and page.value("document.activeElement.id") == "send"
    length = page.value(f"{SAID}[0].length")
    ask(page, "next")
    page.waited(DONE)
    assert page.value(SAID) == ["next0"] and length > 3


@needs_chromium
def test_what_fails_is_said_in_words(page: Browser) -> None:
    ask(page, "fails")
    page.waited(DONE)
    assert page.value("document.getElementById('wrong').textContent") == "model '<b>': is not there"
    ask(page, "dies")
    page.waited(DONE)
    assert "ended by SIGKILL" in page.value("document.getElementById('wrong').textContent")
    page.value("document.querySelector('[data-options=ask] [name=top_k]').value = 3")
    ask(page, "x")
    page.waited("document.getElementById('wrong').textContent.startsWith('top_k: is for answers with a temperature')")
    page.click(f"input[value='{ZERO}']")
    page.value("document.querySelector('[data-options=ask] [name=top_k]').value = ''")
    ask(page, "x")
    page.waited("document.getElementById('wrong').textContent === 'Choose at least one cell that answers.'")


@needs_chromium
def test_a_value_that_is_none_is_shown_where_it_stands(page: Browser) -> None:
    field = "document.querySelector('[data-options=ask] [name=max_new_tokens]')"
    page.value(f"{field}.value = 0")
    ask(page, "x")
    page.waited(f"document.activeElement === {field}")
    assert page.value(f"{field}.closest('details').open") and page.value(SAID) == []


@needs_chromium
def test_a_split_is_predicted_with_its_warning(page: Browser) -> None:
    page.value("document.querySelector('[data-options=predict] [name=temperature]').value = 0.5")
    page.click("#prediction button.main")
    page.waited("document.querySelector('#scores table') !== null")
    text = said(page)
    assert "Not the benchmark's scores: the first rows of the validation split" in text
    assert "20 of 20 rows answered" in text and "the answers on record" in text
    assert f"kedro predict {ZERO} --split validation --rows 20 --output answers.jsonl --temperature 0.5" in text
    assert page.value("document.querySelectorAll('main img').length") == 0


@needs_chromium
def test_hostile_questions_and_answers_do_nothing(page: Browser) -> None:
    ask(page, HOSTILE.replace("\x07", ""))
    page.waited(DONE)
    assert page.value("document.querySelectorAll('main img, main script').length") == 0
    assert page.value("typeof boo") == "undefined" and page.said == []
    assert "</script><img src=x onerror=boo()>" in page.value(SAID)[0]


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_is_named_for_all(page: Browser, dark: bool) -> None:
    for width in (360, 1280):
        page.look(width=width, dark=dark)
        assert page.value("document.documentElement.scrollWidth") <= width
        named = "one.textContent.trim() || one.labels?.length || one.ariaLabel"
        assert page.value(f"[...document.querySelectorAll('input, select, textarea, button')].every(one => {named})")


@needs_chromium
def test_it_is_used_by_the_keyboard_alone(page: Browser) -> None:
    page.value("document.getElementById('text').focus()")
    page.write("key")
    for _ in range(20):
        page.press("Tab")
        if page.value("document.activeElement.id") == "send":
            break
    page.press("Enter", "\r")
    page.waited(f"{SAID}[0] === 'key0' && {DONE}")
    page.press("Tab")
    assert page.value("document.activeElement.id") in ("send", "fresh")


def test_what_is_not_asked_rightly_is_one_line(results_board: Board) -> None:
    for path, body, words in [
        ("/try/ask", "{", "request: must be JSON"),
        ("/try/ask", "[]", "request: must be a JSON object"),
        ("/try/ask", json.dumps({"cells": [], "text": "x"}), "request, cells"),
        ("/try/predict", json.dumps({"cell": LORA, "split": "train"}), "request, split"),
        ("/try/ask", "x" * 2**22, "request: must have at most"),
    ]:
        status, text, _ = results_board.sent("POST", path, body)
        assert status == 422 and words in json.loads(text)["error"], text
    assert results_board.sent("POST", "/try/ask?env=nowhere", "{}")[0] == 422
    assert results_board.sent("POST", "/try/ask", "{}", Origin="http://example.org")[0] == 403
    assert json.loads(results_board.sent("GET", "/try/model")[1]) == {"running": False}


def test_a_row_that_is_none_is_one_line(results_board: Board) -> None:
    path = results_board.root / "conf/local/parameters_more.yml"
    path.write_text("methods: {lora: null}\n", encoding="utf-8")
    status, text, _ = results_board.sent("GET", "/try")
    path.unlink()
    assert status == 422 and json.loads(text)["error"] == "method 'lora': must be a row of fields, got None"


def test_the_model_process_ends_with_the_board(tmp_path: Path) -> None:
    with shown(scratch_project(tmp_path)) as found:
        status, text, _ = found.sent("POST", "/try/ask", json.dumps({"cells": [LORA], "text": "x"}))
        assert status == 200 and '"event": "done"' in text
        (child,) = [each for each in psutil.Process().children() if fake_model.__file__ in each.cmdline()]
    assert not child.is_running()
