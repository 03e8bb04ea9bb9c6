"""A board over a tiny project whose runs are real: processes of their own."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from boards import Board, shown
from project import Project

ROWS = [{"sentence": f"line {number}", "label": number % 2} for number in range(120)]


def tiny_project(folder: Any, epochs: int = 1) -> Project:
    """A project with a tiny model and a task in its environment local; it trains long where epochs are many."""
    project = Project(folder)
    project.rows(train=ROWS, test=ROWS[:4])
    project.grid["methods"] = ["lora"]
    project.parameters["training"] = {"epochs": epochs, "evaluations": 4}
    project.write("local")
    (folder / "conf/local/globals.yml").write_text("raw: raw\n", encoding="utf-8")
    return project


@pytest.fixture
def running_board(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A board over such a project; what it starts finds the code under test."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    folder = tmp_path_factory.mktemp("project")
    tiny_project(folder, epochs=200)
    with shown(folder) as found:
        yield found
