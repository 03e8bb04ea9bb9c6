"""Environments that came with the project: known by what is installed or by git, and marked before one is changed."""

import subprocess
from pathlib import Path

import pytest
from boards import Board, chromium, opened, scratch_board
from browser import Browser, needs_chromium
from light import PROJECT

from peft_pipelines.board import shipped_environments
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.project import Project
from peft_pipelines.board.shipped_environments import came_along, own_name

__all__ = ["chromium", "scratch_board"]

MARK = "came with the project."
PAGES = ("/grid?env={}", "/method?env={}&row=lora")


def test_those_that_a_new_project_is_filled_with_came_along(scratch_board: Board) -> None:
    project = Project(scratch_board.root)
    folder = project.conf / "mine_alone"
    folder.mkdir()
    (folder / "grid.yml").write_text("seeds: [s0]\n", encoding="utf-8")
    found = came_along(project)
    assert {"smoke", "three_seeds", "hub"} < found and not {"mine_alone", "local", "logging.yml"} & found
    assert all((PROJECT / "conf" / name).is_dir() for name in found)


@pytest.mark.parametrize("git", [True, False])
def test_in_a_checkout_git_tells_them_from_ones_own(git: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("base/grid.yml", "old one/parameters/x.yml", "mine/grid.yml", "local/grid.yml", "empty/.gitkeep"):
        (tmp_path / "conf" / path).parent.mkdir(parents=True)
        (tmp_path / "conf" / path).write_text("", encoding="utf-8")
    if git:
        added = [f"conf/{name}" for name in ("base", "old one", "local", "empty")]
        for command in (["init", "--quiet"], ["add", *added]):
            subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(shipped_environments, "shipped", lambda: tmp_path)
    assert came_along(Project(tmp_path)) == ({"base", "old one"} if git else set())


def test_the_name_that_is_offered_is_free(scratch_board: Board) -> None:
    project = Project(scratch_board.root)
    (project.conf / "my_hub").mkdir()
    names = [own_name(project, env) for env in ("smoke", "hub", "local")]
    assert names == ["my_smoke", "my_hub_2", ""]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_so_beside_its_button(page: str, scratch_board: Board) -> None:
    _, text, _ = scratch_board.sent("GET", page.format("smoke"))
    before, _, after = text.partition(f"smoke {MARK}")
    assert 'id="shipped-note"' in before and 'data-own="my_smoke"' in before
    assert "Name it my_smoke instead</button>" in after
    assert 'id="save" aria-describedby="shipped-note">' in after
    _, text, _ = scratch_board.sent("GET", page.format("local"))
    assert 'id="save">' in text and MARK not in text


@needs_chromium
@pytest.mark.parametrize("page", PAGES)
def test_the_offered_name_leaves_the_files_alone(page: str, scratch_board: Board, chromium: Browser) -> None:
    project = Project(scratch_board.root)
    before = {path: path.read_bytes() for path in (project.conf / "smoke").iterdir()}
    seen = opened(chromium, scratch_board, page.format("smoke"))
    note = "document.getElementById('shipped-note').innerText"
    assert seen.value(note) == f"smoke {MARK} Saving under this name changes its files."
    name = seen.value("document.getElementById('shipped').dataset.own")
    seen.value("document.getElementById('own').focus()")
    seen.press("Enter", "\r")
    assert seen.value("[document.activeElement.name, document.activeElement.value]") == ["name", name]
    assert seen.value(note) == "smoke came with the project and stays as it is."
    assert seen.value("getComputedStyle(document.getElementById('own')).display") == "none"
    with seen.followed():
        seen.press("Enter", "\r")
    assert seen.value("document.querySelector('.environment select').value") == name
    assert seen.value("document.getElementById('shipped')") is None
    assert {path: path.read_bytes() for path in (project.conf / "smoke").iterdir()} == before
    mine, theirs = rows_of(project, name), rows_of(project, "smoke")
    assert (mine.parameters, mine.grid) == (theirs.parameters, theirs.grid)
    assert seen.said == []
