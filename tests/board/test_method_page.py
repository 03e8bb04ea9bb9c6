"""The page Method: all rows and types as forms in Chromium, mistakes at their fields, by keyboard, narrow and dark."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from base_rows import METHODS
from boards import Board, chromium, opened, scratch_board
from browser import Browser, needs_chromium
from method_forms import form_of

from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.method_subject import of_row
from peft_pipelines.board.project import Project

__all__ = ["chromium", "scratch_board"]

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
READY = "document.getElementById('changes').textContent === 'Nothing changes.'"
MISTAKE = "document.activeElement.id === 'config.r' && document.getElementById('wrong-config.r').textContent"


@pytest.fixture
def kept(scratch_board: Board) -> Iterator[Board]:
    """The board; the files of its environment smoke are put back."""
    folder = scratch_board.root / "conf/smoke"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    yield scratch_board
    for path, content in before.items():
        path.write_bytes(content)


def asked(board: Board, what: str, row: str = "lora", **texts: str) -> tuple[int, dict[str, Any]]:
    project = Project(board.root)
    body = form_of(project, "smoke", of_row(project, "smoke", row), **texts).model_dump_json()
    status, text, _ = board.sent("POST", f"/method/{what}", body, **{"Content-Type": "application/json"})
    return status, json.loads(text)


def test_what_is_shown_is_what_is_written(kept: Board) -> None:
    _, shown = asked(kept, "preview", config__r="4")
    assert shown["wrong"] == {} and shown["changed"] == ["config.r"]
    assert shown["command"] == "kedro methods lora --env=smoke"
    status, done = asked(kept, "save", config__r="4")
    assert (status, done["row"], done["tried"]) == (200, "lora", [])
    for path, text in shown["files"].items():
        assert (kept.root / path).read_text(encoding="utf-8") == text


def test_nothing_is_written_of_a_form_with_a_mistake(kept: Board) -> None:
    path = kept.root / "conf/smoke/parameters.yml"
    before = path.read_text(encoding="utf-8")
    status, found = asked(kept, "save", config__r="x", training__epochs="0")
    assert status == 200 and list(found["wrong"]) == ["config.r", "training.epochs"]
    assert path.read_text(encoding="utf-8") == before


def test_files_that_have_changed_meanwhile_are_left_alone(kept: Board) -> None:
    project = Project(kept.root)
    body = form_of(project, "smoke", of_row(project, "smoke", "lora"), config__r="4").model_dump_json()
    path = kept.root / "conf/smoke/parameters.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    status, text, _ = kept.sent("POST", "/method/save", body, **{"Content-Type": "application/json"})
    assert status == 422 and "have changed since this page was loaded" in text
    assert path.read_text(encoding="utf-8").endswith("# mine\n")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("env=smoke&row=lorra", "unknown method 'lorra', did you mean 'lora'"),
        ("env=../base&row=lora", "environment: unknown name '../base'"),
        ("env=smoke&provider=hf_peft&type=LORAS", "provider 'hf_peft': unknown type 'LORAS', did you mean 'LORA'"),
    ],
)
def test_what_is_not_there_is_said_in_words(scratch_board: Board, query: str, reason: str) -> None:
    status, text, _ = scratch_board.sent("GET", f"/method?{query}")
    assert status == 422 and reason in json.loads(text)["error"]


READ = """(async () => {
    const found = {};
    for (const query of %s) {
        const text = await (await fetch(`/method?env=smoke&${query}`)).text();
        const form = new DOMParser().parseFromString(text, 'text/html').getElementById('method');
        const body = {...filled(form), %s};
        found[query] = {body, said: await ask('/method/preview', body)};
    }
    return found;
})()"""


@needs_chromium
def test_each_row_comes_back_from_its_page(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/method?env=smoke&row=lora")
    page.patience = 600
    queries = [f"row={name}" for name in METHODS]
    found = page.value(READ % (json.dumps(queries), ""))
    rows = rows_of(Project(scratch_board.root), "smoke").parameters.methods
    for name in METHODS:
        said = found[f"row={name}"]["said"]
        assert said["wrong"] == {} and said["changed"] == [], name
        assert said["method"] == rows[name].model_dump(mode="json")
    copies = page.value(READ % (json.dumps([f"{query}&copy=true" for query in queries]), "new: 'mine'"))
    for name in METHODS:
        said = copies[f"row={name}&copy=true"]["said"]
        assert said["wrong"] == {}, name
        assert said["method"] == {**rows[name].model_dump(mode="json"), "name": "mine"}


@needs_chromium
def test_each_type_has_a_page(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/method?env=smoke&row=lora")
    page.patience = 600
    types = page.value("ask('/method/types?env=smoke').then((found) => found.types)")
    assert len(types) >= 70
    queries = [f"provider={one['provider']}&type={one['type']}" for one in types]
    found = page.value(READ % (json.dumps(queries), "new: 'mine'"))
    for query, one in zip(queries, types, strict=True):
        said = found[query]["said"]
        assert found[query]["body"]["type"] == one["type"]
        assert "row.citation" in said["wrong"] and ("type" in said["wrong"]) == bool(one["note"]), query
        assert all("must be given" in text for key, text in said["wrong"].items() if key != "type"), query
    assert page.said == []


@needs_chromium
def test_a_mistake_gets_the_focus_and_a_reset_ends_it(kept: Board, chromium: Browser) -> None:
    page = opened(chromium, kept, "/method?env=smoke&row=lora")
    page.waited(READY)
    begun = page.value("document.getElementById('config.r').value")
    page.value("document.getElementById('config.r').select()")
    page.write("eight")
    page.waited("document.getElementById('wrong-config.r').textContent")
    line = "method 'lora', config, r: must be int, got 'eight'"
    assert page.value("document.getElementById('wrong-config.r').textContent") == line
    assert page.value("document.activeElement.id") == "config.r"
    page.value("document.getElementById('save').focus()")
    page.press("Enter", "\r")
    page.waited(MISTAKE)
    described = "document.activeElement.getAttribute('aria-describedby').split(' ')"
    assert page.value(f"{described}.map(id => document.getElementById(id).textContent).includes({line!r})")
    assert page.value("document.activeElement.getAttribute('aria-invalid')") == "true"
    page.press("Tab")
    assert page.value("document.activeElement.textContent") == "Reset"
    page.press(" ", " ")
    page.waited(READY)
    assert page.value("[document.activeElement.id, document.activeElement.value]") == ["config.r", begun]
    assert page.value("document.activeElement.hasAttribute('aria-invalid')") is False
    assert page.said == []


@needs_chromium
def test_a_row_is_made_by_keyboard_alone(kept: Board, chromium: Browser) -> None:
    page = opened(chromium, kept, "/method?env=smoke")
    page.patience = 120
    page.waited("document.querySelectorAll('#types li').length > 60")
    page.value("document.getElementById('find').focus()")
    page.write("weights last")
    page.waited("document.querySelectorAll('#types li:not([hidden])').length === 1")
    page.press("Tab")
    with page.followed():
        page.press("Enter", "\r")
    assert page.value("document.getElementById('method') !== null")
    for name, text in (("row.citation", "someone 2026"), ("config.layers", "2"), ("new", "top_two")):
        for _ in range(200):
            page.press("Tab")
            if page.value("document.activeElement.id || document.activeElement.name") == name:
                break
        page.write(text)
    page.waited("document.getElementById('changes').textContent.startsWith('To be written: provider')")
    for _ in range(3):  # the environment's name, a name of one's own, the button
        page.press("Tab")
    with page.followed():
        page.press("Enter", "\r")
    assert page.value("document.querySelector('h1').textContent") == "top_two"
    found = rows_of(Project(kept.root), "smoke").parameters.methods["top_two"]
    assert (found.provider, found.type, found.config) == ("weights", "last_layers", {"layers": 2})
    assert page.said == []


@needs_chromium
def test_hostile_rows_stay_text(kept: Board, chromium: Browser) -> None:
    row = {
        "notes": HOSTILE,
        "citation": f"</textarea>{HOSTILE}",
        "source": "\x1b[2J\u202ex",
        "config": {HOSTILE: HOSTILE},
    }
    path = kept.root / "conf/smoke/parameters.yml"
    path.write_text(f"# {HOSTILE}\n{yaml.safe_dump({'methods': {'lora': row}})}", encoding="utf-8")
    page = opened(chromium, kept, "/method?env=smoke&row=lora")
    page.waited("document.getElementById('changes').textContent.includes('unknown field')")
    assert page.value("document.title") == "Method · the board"
    assert page.value("document.querySelectorAll('main img, main script').length") == 0
    assert page.value("document.getElementById('row.citation').value") == row["citation"]
    assert page.value("document.getElementById('row.source')") is None  # a form cannot give back such signs
    assert "\\x1b[2J\\u202ex" in page.value("document.querySelector('main').textContent")
    page.open(kept.address + "/method?env=smoke")
    page.waited("document.querySelectorAll('#types li').length > 60")
    assert page.value("document.querySelectorAll('main img, main script').length") == 0
    assert page.said == []


@needs_chromium
@pytest.mark.parametrize("query", ["row=lora", "provider=hf_peft&type=ADALORA", ""], ids=["row", "type", "list"])
def test_it_fits_a_phone_in_the_dark(scratch_board: Board, chromium: Browser, query: str) -> None:
    page = opened(chromium, scratch_board, f"/method?env=smoke&{query}")
    page.look(width=360, dark=True)
    page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.value("document.documentElement.scrollWidth") <= 360
    unlabelled = (
        "[...document.querySelectorAll('main input, main textarea, main select')].filter(one => !one.labels.length)"
    )
    assert page.value(f"{unlabelled}.length") == 0
    shade = "getComputedStyle(document.querySelector('main input, main textarea')).backgroundColor"
    assert page.value(shade) == page.value("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


@needs_chromium
def test_nothing_jumps_while_a_form_is_read(scratch_board: Board, chromium: Browser) -> None:
    page = opened(chromium, scratch_board, "/method?env=smoke&row=lora")
    page.look(width=1300)
    page.waited(READY)
    shifts = """new Promise(done => { let sum = 0;
        new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
            .observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 1000); })"""
    assert page.value(shifts) < 0.02
