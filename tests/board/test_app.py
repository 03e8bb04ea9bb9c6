"""The board as a whole: who is let in, what each response forbids a browser, and its pages in Chromium."""

import json

import pytest
from boards import TOKEN, Board, chromium, opened, scratch_board
from browser import Browser, needs_chromium

from peft_pipelines.board.admission import HEADERS
from peft_pipelines.board.pages import PAGES

__all__ = ["chromium", "scratch_board"]


def test_the_token_is_exchanged_for_a_cookie(scratch_board: Board) -> None:
    status, _, headers = scratch_board.sent("GET", scratch_board.start, Cookie="")
    assert (status, headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(headers["set-cookie"].split("; "))
    assert TOKEN not in headers["set-cookie"]
    assert scratch_board.sent("GET", "/grid")[0] == 200


@pytest.mark.parametrize("path", ["/", "/grid", "/start", "/start?token=", "/start?token=x", "/docs", "/nowhere"])
def test_nobody_else_is_let_in(scratch_board: Board, path: str) -> None:
    assert scratch_board.sent("GET", path, Cookie="")[0] == 403
    assert scratch_board.sent("GET", path, Cookie=f"board_{scratch_board.port}=x")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example.org"},
        {"Host": "127.0.0.1.example.org"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_hosts_and_origins_are_refused(scratch_board: Board, headers: dict[str, str]) -> None:
    assert scratch_board.sent("GET", "/grid", **headers)[0] == 403
    assert scratch_board.sent("POST", "/grid", "{}", **headers)[0] == 403


def test_a_refusal_is_a_page_or_for_a_script_json(scratch_board: Board) -> None:
    text = "Open the address that kedro board has printed: it holds this board's token."
    assert json.loads(scratch_board.sent("GET", "/run/events?env=smoke", Cookie="")[1]) == {"error": text}
    assert "<h1>Not shown</h1>" in scratch_board.sent("GET", "/grid", Cookie="", Accept="text/html")[1]
    status, _, headers = scratch_board.sent("PUT", "/grid", "{}", Origin=scratch_board.address)
    assert (status, headers["allow"]) == (405, "GET")


def test_what_changes_something_names_its_origin(scratch_board: Board) -> None:
    assert scratch_board.sent("POST", "/nowhere", "{}", Origin="")[0] == 403
    assert scratch_board.sent("POST", "/nowhere", "{}")[0] == 404


@pytest.mark.parametrize("path", ["/grid", "/static/board.js", "/static/page.css", "/nowhere"])
def test_each_response_binds_the_browser(scratch_board: Board, path: str) -> None:
    _, _, headers = scratch_board.sent("GET", path)
    assert HEADERS.items() <= {name: headers.get(name.lower()) for name in HEADERS}.items()


def test_mistakes_are_words(scratch_board: Board) -> None:
    status, text, _ = scratch_board.sent("GET", "/grid?env=smokee")
    assert status == 422 and json.loads(text)["error"].startswith("environment: unknown name 'smokee', did you mean")
    status, text, _ = scratch_board.sent("GET", "/grid?env=../base", Accept="text/html")
    assert status == 422 and "unknown name &#39;../base&#39;" in text


@needs_chromium
def test_its_pages_are_found_from_each_other(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/?env=smoke")
    for name, title in PAGES.items():
        with page.followed():
            page.click(f"nav a[href^='/{name}']")
        assert page.value("document.title").startswith(f"{title} ·")
        assert page.value("document.querySelector('nav [aria-current]').textContent") == title
        assert page.value("document.body.dataset.env") == "local"
    assert page.said == []


@needs_chromium
def test_a_page_that_is_left_and_shown_again_names_its_own_environment(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/run?env=smoke")
    page.value("document.querySelector('.environment select').value = 'hub'")
    page.value("document.querySelector('.environment button').click()")
    page.waited("document.body?.dataset.env === 'hub' && document.readyState === 'complete'")
    page.value("history.back()")
    page.waited("document.body?.dataset.env === 'smoke' && document.readyState === 'complete'")
    page.waited("document.querySelector('.environment select').value === 'smoke'")


@needs_chromium
@pytest.mark.parametrize("name", [*PAGES, "grid/own"])
def test_no_page_is_wider_than_a_phone(scratch_board: Board, chromium: Browser, name: str) -> None:
    page = opened(chromium, scratch_board, f"/{name}?env=smoke")
    page.look(width=360)
    assert page.value("document.documentElement.scrollWidth") <= 360
