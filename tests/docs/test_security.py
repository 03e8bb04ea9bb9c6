"""The page on security: what it shows is what the commands print, and what it names exists."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from project import ROWS, Project, project

__all__ = ["project"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
SHOWN = [" ".join(block.split()) for block in re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]


def code_beside_the_weights(project: Project) -> None:
    folder = project.folder / "model/custom_generate"
    folder.mkdir()
    (folder / "generate.py").write_text("raise SystemExit('ran')", encoding="utf-8")


def a_bomb_of_references(project: Project) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9)]
    (project.folder / "conf/local/parameters_more.yml").write_text("\n".join(lines), encoding="utf-8")


def commands_to_the_terminal(project: Project) -> None:
    rows = [{**row, "label": str(row["label"])} for row in ROWS]
    project.rows(train=[{"sentence": "fine", "label": "\x1b[2J\x1b]0;mine\x07"}, *rows], test=rows)


@pytest.mark.parametrize("handed_over", [code_beside_the_weights, a_bomb_of_references, commands_to_the_terminal])
def test_what_others_wrote_is_refused_as_the_page_shows(
    handed_over: Callable[[Project], None],
    project: Project,
) -> None:
    handed_over(project)
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code != 0
    assert done.output.strip().replace(f"{project.folder}/", "") in SHOWN


def test_every_line_that_the_page_shows_is_tried() -> None:
    assert len(SHOWN) == 3
