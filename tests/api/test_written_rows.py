"""A grid's files in an environment's folder hold what Python was given, and replace nothing written by hand."""

from dataclasses import replace
from datetime import date
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from peft_pipelines import Grid
from peft_pipelines.api.written_rows import HEADER, GridFiles, files_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.strict_yaml import parse

ROWS: dict[str, Any] = {
    "tasks": {
        "mood": {"labels": {0: "no", "1": "yes", "1e5": "2e5"}, "instruction": "Grün?\n  Ja: {x}", "ignore_case": True}
    },
    "training": {"learning_rate": 1e-5, "epochs": 2, "tokens_per_forward": None},
    "methods": {"mine": {"config": {"target_modules": ("a", "b")}}},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    return tmp_path


def grid(**rows: Any) -> Grid:
    return Grid(methods=["mine"], models=["tiny"], tasks=["mood"], rows=rows)


def test_the_files_say_what_python_said(project: Path) -> None:
    files_of(grid(**ROWS), project, "trial").write()
    files = {path.name: parse(path.read_bytes(), path.name).values for path in (project / "conf/trial").iterdir()}
    assert files["grid.yml"] == {"methods": ["mine"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    assert files["parameters.yml"] == {**ROWS, "methods": {"mine": {"config": {"target_modules": ["a", "b"]}}}}


def test_each_file_names_its_schema_in_the_first_line(project: Path) -> None:
    files_of(grid(**ROWS), project, "trial").write()
    for name in ("grid", "parameters"):
        first, second, *_ = (project / f"conf/trial/{name}.yml").read_text().splitlines()
        assert first == f"# yaml-language-server: $schema=../.schemas/{name}.json"
        assert second == HEADER.strip()


def test_a_file_of_an_earlier_release_is_replaced(project: Path) -> None:
    (project / "conf/trial").mkdir()
    (project / "conf/trial/grid.yml").write_text(HEADER + "methods: [lora]\n")  # which named no schema
    files_of(grid(), project, "trial").write()
    assert yaml.safe_load((project / "conf/trial/grid.yml").read_text())["methods"] == ["mine"]


def test_another_grid_replaces_it(project: Path) -> None:
    files_of(grid(**ROWS), project, "trial").write()
    files_of(grid(), project, "trial").write()
    assert yaml.safe_load((project / "conf/trial/parameters.yml").read_text()) is None


@pytest.mark.parametrize("env", [None, "base", "local", "My study", "../study", "", "x" * 65])
def test_an_environment_needs_a_name_of_its_own(project: Path, env: str | None) -> None:
    with pytest.raises(ConfigError, match=r"^env: must be"):
        files_of(grid(), project, env).write()
    assert not list((project / "conf").iterdir())


def test_what_was_written_by_hand_stays(project: Path) -> None:
    (project / "conf/trial").mkdir()
    (project / "conf/trial/grid.yml").write_text("methods: [lora]\n")
    with pytest.raises(ConfigError, match=r"must be one whose grid.yml was written from Python, got 'trial'"):
        files_of(grid(), project, "trial").write()
    assert [path.name for path in (project / "conf/trial").iterdir()] == ["grid.yml"]
    (project / "conf/trial/grid.yml").write_bytes("# Für später\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"must be one whose grid.yml was written from Python, got 'trial'"):
        files_of(grid(), project, "trial")


def test_a_file_of_the_environments_name_stays(project: Path) -> None:
    (project / "conf/trial").write_text("notes")
    with pytest.raises(ConfigError, match=r"^env: '.*/conf/trial' is no folder; choose another name than 'trial'$"):
        files_of(grid(), project, "trial")


def test_two_that_write_at_once_leave_the_files_of_one_grid(project: Path) -> None:
    seeds = [f"s{number}" for number in range(8)]
    made = [
        files_of(Grid(["mine"], ["tiny"], ["mood"], [name], rows={"seeds": {name: 1}}), project, "trial")
        for name in seeds
    ]
    with ThreadPool(len(made)) as pool:
        pool.map(GridFiles.write, made)
    left = {path.name: path.read_text() for path in (project / "conf/trial").iterdir()}
    assert left in [one.texts for one in made]


def test_a_write_that_fails_replaces_neither_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files_of(grid(**ROWS), project, "trial").write()
    before = {path.name: path.read_text() for path in (project / "conf/trial").iterdir()}
    broken = replace(files_of(grid(), project, "trial"), texts={"grid.yml": HEADER, "parameters.yml": "\ud800"})
    with pytest.raises(UnicodeEncodeError):
        broken.write()
    assert {path.name: path.read_text() for path in (project / "conf/trial").iterdir()} == before


@pytest.mark.parametrize("value", [np.float64(0.1), np.array([1]), Path("x"), {1, 2}, object()])
def test_a_value_that_yaml_does_not_have_is_refused(project: Path, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^rows: must hold text, numbers.* \({type(value).__name__}\)$"):
        files_of(grid(training={"epochs": value}), project, "trial").write()
    assert not list((project / "conf").iterdir())


def test_a_date_is_one_of_yaml(project: Path) -> None:
    files_of(grid(models={"tiny": {"date": date(2026, 1, 31)}}), project, "trial").write()
    assert "date: 2026-01-31" in (project / "conf/trial/parameters.yml").read_text()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"tasks": {"mood": {"input": "\ud83d"}}}, r"rows, tasks, mood, input: half a surrogate pair is no text, got "),
        ({"seeds": {"\ud83d": 1}}, r"rows, seeds: half a surrogate pair is no text, got "),
        (
            {"methods": {"mine": {"config": {"target_modules": ["a", "\ud83d"]}}}},
            "rows, methods, mine, config, target_",
        ),
        ({"seeds": {("s", 1): 1}}, r"rows, seeds: a key must be text or a number, got \('s', 1\)$"),
        ({"seeds": {None: 1}}, r"rows, seeds: a key must be text or a number, got None$"),
    ],
)
def test_what_could_not_be_read_again_is_told_by_its_keys(project: Path, rows: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{words}"):
        files_of(grid(**rows), project, "trial")


def test_rows_that_hold_themselves_are_refused(project: Path) -> None:
    training: dict[str, Any] = {}
    training["loss"] = training
    with pytest.raises(
        ConfigError, match=r"^rows: dictionaries or lists too deep inside each other, or one that holds "
    ):
        files_of(grid(training=training), project, "trial")
