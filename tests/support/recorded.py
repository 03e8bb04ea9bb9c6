"""A tiny project with one run on record, made once; each test works on a copy of it."""

import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from project import Project

from peft_pipelines.files.atomic import write_json
from peft_pipelines.files.checksum import sha256

LORA, ZERO = "lora.tiny.mood.s0", "zero_shot.tiny.mood.s0"
RUNS = Path("data/08_reporting/runs")


@cache
def _first_run(folder: Path) -> Path:
    before = Path.cwd()
    folder.mkdir()
    os.chdir(folder)
    try:
        made = Project(folder)
        made.grid["methods"] = ["zero_shot", "lora"]
        result = made.kedro("run")
        assert result.exit_code == 0, result.output
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as its first run has left it, the same for all modules of a process."""
    return _first_run(tmp_path_factory.getbasetemp() / "recorded")


@pytest.fixture
def recorded(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of it, the current folder."""
    folder = tmp_path / "copy"
    shutil.copytree(original, folder, copy_function=shutil.copy2)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PEFT_DIR", str(folder / "methods"))
    copied = object.__new__(Project)
    copied.folder = folder
    copied.grid = {"methods": ["zero_shot", "lora"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    copied.parameters = _parameters()
    return copied


def _parameters() -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    found: dict[str, Any] = yaml.safe_load(Path("conf/local/parameters.yml").read_text())
    return found


def ids() -> list[str]:
    """The runs on record, the oldest first."""
    return sorted(path.parent.name for path in RUNS.glob("*/manifest.json"))


def manifest(run_id: str) -> dict[str, Any]:
    """What a run's manifest holds."""
    return read(RUNS / run_id / "manifest.json")


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text())


def took(cell: str, **numbers: float) -> None:
    """Set numbers of a cell's metrics, and its record with them, as if the run had measured them."""
    method, model, task, seed = cell.split(".")
    path = Path("data/07_model_output", model, task, method, seed, "metrics.json")
    write_json(path, read(path) | numbers)
    state = read(path.with_name("state.json"))
    for node in state["nodes"].values():
        for files in node["sha256"].values():
            files.update({path.name: sha256(path)} if path.name in files else {})
    write_json(path.with_name("state.json"), state)


def only(pattern: str) -> Path:
    """The one file of the store that a pattern names."""
    (found,) = Path("data").glob(pattern)
    return found


def lines(result: Result) -> list[str]:
    """What a command has printed."""
    return result.stdout.splitlines()
