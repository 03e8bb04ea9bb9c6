"""The page Grid: what is chosen is written as files that a run reads, and nothing else is."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

import pytest
import yaml
from boards import SECONDS, Board, chromium, listened, opened, said, scratch_board, waited
from browser import Browser, needs_chromium

from peft_pipelines.board import written
from peft_pipelines.board.asking import Asking
from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.project import Project

__all__ = ["chromium", "scratch_board"]

GRID = {"methods": ["lora", "zero_shot"], "models": ["smollm2_135m"], "tasks": ["svamp"], "seeds": ["s0", "s1"]}


def form(board: Board, env: str = "smoke", **fields: Any) -> dict[str, Any]:
    stamp = files_of(Project(board.root), env).seen
    return {"env": env, "name": env, "seen": stamp, "factors": "1.0", "training": {}, **GRID, **fields}


def asked(board: Board, what: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    status, text, _ = board.sent("POST", f"/grid/{what}", json.dumps(body), **headers)
    return status, json.loads(text)


@pytest.fixture
def kept(scratch_board: Board) -> Iterator[Board]:
    """The board; the files of its environment smoke are put back."""
    folder = scratch_board.root / "conf/smoke"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    yield scratch_board
    for path, content in before.items():
        path.write_bytes(content)


def test_a_preview_is_the_files_and_the_command(scratch_board: Board) -> None:
    _, found = asked(scratch_board, "preview", form(scratch_board, training={"epochs": "2", "batch_size": "8"}))
    assert found["wrong"] == {} and found["command"] == "kedro run --env=smoke"
    assert found["cells"] == 3  # the untuned model draws nothing, so it has one seed
    grid, parameters = (found["files"][f"conf/smoke/{name}.yml"] for name in ("grid", "parameters"))
    assert grid.splitlines()[1].startswith("# Two methods, two tasks") and yaml.safe_load(grid) == {
        **GRID,
        "methods": ["zero_shot", "lora"],
    }
    assert yaml.safe_load(parameters)["training"] == {"epochs": 2, "evaluations": 1}


def test_what_is_written_is_what_was_shown(kept: Board) -> None:
    body = form(kept, factors="0.5, 1")
    _, shown = asked(kept, "preview", body)
    status, done = asked(kept, "save", body)
    assert (status, done["env"]) == (200, "smoke")
    for path, text in shown["files"].items():
        assert (kept.root / path).read_text(encoding="utf-8") == text
    assert rows_of(Project(kept.root), "smoke").grid.lr_search.factors == (0.5, 1.0)


def test_a_new_name_is_a_new_environment(kept: Board) -> None:
    _, done = asked(kept, "save", form(kept, env="local", name="fresh"))
    assert done["files"] == ["conf/fresh/grid.yml"]
    text = (kept.root / "conf/fresh/grid.yml").read_text(encoding="utf-8")
    schema, title, *_ = text.splitlines()
    assert schema == "# yaml-language-server: $schema=../.schemas/grid.json"
    assert title.startswith("# What is compared by kedro run --env=fresh")
    assert yaml.safe_load(text)["seeds"] == ["s0", "s1"]
    assert asked(kept, "save", form(kept, name="fresh"))[0] == 422


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"methods": []}, "methods", "choose at least one of the methods"),
        ({"tasks": ["sst3"]}, "tasks", "unknown task 'sst3', did you mean 'sst2'"),
        ({"models": ["../x"]}, "models", "models.0: String should match pattern"),
        ({"factors": "1, x"}, "factors", "must be numbers with commas between them, got '1, x'"),
        ({"factors": "0"}, "factors", "lr_search.factors.0: Input should be greater than 0"),
        ({"training": {"epochs": "many"}}, "training.epochs", "epochs: Input should be a valid number"),
        ({"training": {"schedule": "step"}}, "training.schedule", "schedule: Input should be 'linear', 'cosine'"),
        ({"training": {"epoch": "1"}}, "training.epoch", "unknown field 'epoch', did you mean 'epochs'"),
        ({"name": "../smoke"}, "name", "must be small letters, digits and _"),
        ({"name": "base"}, "name", "must be small letters, digits and _ behind a letter, and not 'base'"),
        ({"name": "hub"}, "name", "'hub' is there already and stays as it is"),
    ],
)
def test_a_mistake_is_told_at_its_field(scratch_board: Board, fields: dict[str, Any], field: str, reason: str) -> None:
    body = form(scratch_board, **fields)
    _, found = asked(scratch_board, "preview", body)
    assert list(found["wrong"]) == [field] and reason in found["wrong"][field]
    assert asked(scratch_board, "save", body)[0] == 422


def test_files_that_have_changed_meanwhile_are_left_alone(kept: Board) -> None:
    body = form(kept)
    path = kept.root / "conf/smoke/grid.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    status, done = asked(kept, "save", body)
    assert status == 422 and "have changed since this page was loaded" in done["error"]
    assert path.read_text(encoding="utf-8").endswith("# mine\n")


@pytest.mark.parametrize("name", ["smoke", "twice"])
def test_of_two_pages_that_write_at_once_one_is_refused(
    kept: Board, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    both, check = Barrier(2, timeout=SECONDS), written.check

    def checked_by_both(*given: Any) -> Any:
        found = check(*given)
        both.wait()
        return found

    monkeypatch.setattr(written, "check", checked_by_both)
    bodies = [form(kept, name=name, seeds=[seed]) for seed in ("s0", "s1")]
    with ThreadPoolExecutor() as pages:
        answers = list(pages.map(lambda body: asked(kept, "save", body), bodies))
    assert sorted(status for status, _ in answers) == [200, 422]
    ((_, refused),) = [answer for answer in answers if answer[0] != 200]
    assert "have changed since this page was loaded" in refused["error"] or "is there already" in refused["error"]
    place = [status for status, _ in answers].index(200)
    assert list(rows_of(Project(kept.root), name).grid.seeds) == bodies[place]["seeds"]


def test_execution_cannot_be_switched_on(scratch_board: Board) -> None:
    assert asked(scratch_board, "save", {**form(scratch_board), "execution": {"enabled": True}})[0] == 422
    body = form(scratch_board, training={"execution": "{enabled: true}"})
    assert list(asked(scratch_board, "preview", body)[1]["wrong"]) == ["training.execution"]


def test_the_plan_is_that_of_the_command_for_the_newest_question(scratch_board: Board) -> None:
    older: list[tuple[int, dict[str, Any]]] = []
    thread = Thread(target=lambda: older.append(asked(scratch_board, "plan", form(scratch_board, seeds=["s0"]))))
    thread.start()
    begun = waited(lambda: list(Asking._all[scratch_board.root]))[0]._process
    begun.send_signal(signal.SIGSTOP)  # it has not answered by the time of the newer question
    status, found = asked(scratch_board, "plan", form(scratch_board))
    thread.join()
    assert older == [(200, {"superseded": True})]
    assert status == 200 and found["cells"] == found["to_make"] == 3
    assert found["data_to_make"] == ["svamp"] and "each" not in found


@needs_chromium
def test_choosing_by_keyboard_keeps_the_focus(kept: Board, chromium: Browser) -> None:
    page = opened(chromium, kept, "/grid?env=smoke")
    page.waited("document.getElementById('cells').textContent === '6 cells'")
    page.value("document.querySelector('[name=methods][value=ia3]').focus()")
    page.press(" ", " ")
    page.waited("document.getElementById('cells').textContent === '8 cells'")
    assert page.value("document.activeElement.value") == "ia3"
    page.value("document.getElementById('training-epochs').select()")
    page.write("x")
    page.waited("document.getElementById('wrong-training.epochs').textContent")
    assert page.value("document.activeElement.getAttribute('aria-invalid')") == ""
    page.write("1")
    page.value(
        "document.activeElement.value = '2', document.activeElement.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.waited("!document.getElementById('save').disabled")
    page.value("document.getElementById('save').focus()")
    listened(page)
    page.press("Enter", "\r")
    page.waited(said("Written: conf/smoke/grid.yml"))
    assert rows_of(Project(kept.root), "smoke").grid.methods == ("zero_shot", "bitfit", "lora", "ia3")
    assert rows_of(Project(kept.root), "smoke").parameters.training.epochs == 2
    assert page.said == []


HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@needs_chromium
def test_hostile_rows_stay_text(kept: Board, chromium: Browser) -> None:
    rows = {
        "tasks": {"sst2": {"licence": HOSTILE, "notes": HOSTILE}},
        "methods": {"lora": {"citation": HOSTILE, "notes": HOSTILE}},
    }
    path = kept.root / "conf/smoke/parameters.yml"
    path.write_text(f"# {HOSTILE}\n{yaml.safe_dump(rows)}", encoding="utf-8")
    page = opened(chromium, kept, "/grid?env=smoke")
    page.waited("document.getElementById('cells').textContent.endsWith('cells')")
    assert page.value("document.title") == "Grid · the board"
    assert page.value("document.querySelectorAll('main img, main script').length") == 0
    assert HOSTILE in page.value("document.getElementById('files').textContent")
    assert page.said == []


def first_paint(page: Browser) -> float:
    """Milliseconds until the page shows something, loaded again."""
    page.look(width=1300)
    page.waited("performance.getEntriesByName('first-contentful-paint').length")
    return float(page.value("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


@needs_chromium
def test_all_methods_on_all_tasks_are_painted_at_once(kept: Board, chromium: Browser) -> None:
    known = rows_of(Project(kept.root), "smoke").parameters
    methods = [name for name, row in known.methods.items() if not row.train_on]
    grid = {**GRID, "methods": methods, "tasks": list(known.tasks), "seeds": ["s0"]}
    (kept.root / "conf/smoke/grid.yml").write_text(yaml.safe_dump(grid), encoding="utf-8")
    page = opened(chromium, kept, "/grid?env=smoke")
    page.waited(f"document.getElementById('cells').textContent === '{len(methods) * len(known.tasks)} cells'")
    painted = min(first_paint(page) for _ in range(5))  # others may take the machine's time from one of them
    shifts = """new Promise(done => { let sum = 0;
        new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
            .observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 1500); })"""
    assert painted < 1000 and page.value(shifts) < 0.02
