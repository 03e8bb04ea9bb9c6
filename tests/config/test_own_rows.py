"""A task whose row says where its rows lie: beside other tasks in one grid, watched and on record as theirs are."""

import json
from pathlib import Path
from typing import Any

import pytest
from project import Project, project

from peft_pipelines.config.own_rows import from_project, with_own_rows
from peft_pipelines.files.atomic import read_json

__all__ = ["project"]

PATTERN = {"{task}_raw": {"type": "x.Rows", "filepath": "rows/{task}", "hub": True}}
CSV = "text,team\n" + "".join(f"ticket {number},{'sales' if number % 2 else 'billing'}\n" for number in range(12))
ROW: dict[str, Any] = {
    "type": "topic classification",
    "raw": "own/tickets.csv",
    "splits": {"train": "train", "test_share": 0.25},
    "instruction": "billing or sales, not \\${price}?",
    "input": "Ticket: {text}",
    "label": "team",
    "labels": {"billing": "billing", "sales": "sales"},
    "metrics": ["accuracy"],
    "max_new_tokens": 10,
    "licence": "-",
    "citation": "-",
}


@pytest.mark.parametrize("path", ["/mnt/rows", "~/rows", "C:\\rows", "C:rows", "", " ", "a\0b"])
def test_a_path_of_one_machine_alone_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must"):
        from_project(path)


@pytest.mark.parametrize("path", ["rows", "data/my rows.csv", "../rows.parquet", "./5"])
def test_a_path_from_the_projects_folder_stays_as_it_is(path: str) -> None:
    assert from_project(path) == path


def test_each_own_place_has_an_entry_that_no_hub_fills() -> None:
    found = with_own_rows(PATTERN, {"mine": {"raw": "mine.csv"}, "sst2": {"type": "t"}, "odd": None, "no": {"raw": 5}})
    assert found == {"mine_raw": {"type": "x.Rows", "filepath": "mine.csv"}, **PATTERN}


def test_an_entry_that_stands_there_is_not_replaced() -> None:
    given = {**PATTERN, "mine_raw": {"type": "y"}}
    assert with_own_rows(given, {"mine": {"raw": "mine.csv"}}) == given
    assert with_own_rows({"other": {}}, {"mine": {"raw": "mine.csv"}}) == {"other": {}}


@pytest.fixture
def beside(project: Project) -> Project:
    """The project with a task of a single file beside its own."""
    (project.folder / "own").mkdir()
    (project.folder / "own/tickets.csv").write_text(CSV)
    project.parameters["tasks"]["tickets"] = json.loads(json.dumps(ROW))
    project.grid["tasks"].append("tickets")
    return project


def test_both_tasks_run_and_only_the_one_that_changed_runs_again(beside: Project) -> None:
    done = beside.kedro("run")
    assert done.exit_code == 0, done.output
    made = sorted(Path("data/07_model_output/tiny").glob("*/zero_shot/s0/predictions.jsonl"))
    assert [path.parts[3] for path in made] == ["mood", "tickets"]
    assert len(made[1].read_text().splitlines()) == 3
    times = [path.stat().st_mtime_ns for path in made]
    Path("own/tickets.csv").write_text(CSV + "one more,sales\n")
    assert beside.kedro("run").exit_code == 0
    again = [path.stat().st_mtime_ns for path in made]
    assert (again[0], again[1] > times[1]) == (times[0], True)
    moved = beside.parameters["tasks"]["tickets"]
    Path("own/tickets.csv").rename("own/others.csv")
    moved["raw"] = "own/others.csv"
    assert beside.kedro("run").exit_code == 0
    assert [path.stat().st_mtime_ns for path in made] == again


def test_the_place_is_on_record_without_the_machine(beside: Project) -> None:
    assert beside.kedro("run").exit_code == 0
    manifest = next(Path("data/08_reporting/runs").glob("*/manifest.json"))
    assert list(read_json(manifest)["data"]["tickets"]["raw"]["sha256"]) == ["tickets.csv"]
    for path in manifest.parent.iterdir():
        assert str(beside.folder) not in path.read_text()
    assert "raw: own/tickets.csv" in (manifest.parent / "rows.yml").read_text()
    assert beside.kedro("verify").exit_code == 0
    again = beside.kedro("reproduce", manifest.parent.name)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("own/nothing.csv", "Error: task 'tickets', raw: 'own/nothing.csv' is not there; a folder with a file a split"),
        ("own/nothing", "Error: task 'tickets', raw: 'own/nothing' is not there; a folder with a file a split"),
        ("/mnt/x.csv", "Error: task 'tickets', raw: must be a path from the project's folder"),
        (5, "Error: task 'tickets', raw: Input should be a valid string, got 5"),
    ],
)
def test_a_wrong_place_is_one_line_before_anything_runs(beside: Project, raw: Any, line: str) -> None:
    beside.parameters["tasks"]["tickets"]["raw"] = raw
    done = beside.kedro("run")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith(line)
    assert not Path("data").exists()


def test_two_names_of_one_file_are_one_task(beside: Project) -> None:
    beside.parameters["tasks"]["again"] = beside.parameters["tasks"]["tickets"]
    beside.grid["tasks"].append("again")
    done = beside.kedro("run")
    assert "grid.yml: tasks 'tickets' and 'again' have the same values" in done.stderr
