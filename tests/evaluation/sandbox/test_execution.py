"""Running answers on their test cases, through the command line: off unless asked for, and refused before training."""

import json
from pathlib import Path
from typing import Any

import base_rows
import pandas as pd
import pytest
from project import Project, project  # noqa: F401
from sandboxes import needs_sandbox

from peft_pipelines.config import ExecutionSpec, TaskSpec, parse
from peft_pipelines.evaluation.score import executed

ON = ("--params", "raw=raw,store=data,execution.enabled=true")
ROW = {"question": "Print the sum.", "solutions": ["print(sum(map(int, input().split())))"]}
CASES = json.dumps({"inputs": ["1 2", "3 4"], "outputs": ["3", "7"]})
LIMITS = ExecutionSpec(enabled=True, seconds=2, memory_mb=256, processes=4, file_mb=1, output_kb=64)


@pytest.fixture
def programs(project: Project) -> Project:  # noqa: F811
    """A project whose task asks for programs; the last of its four test examples has no cases."""
    for field in ("label", "labels"):
        del project.task[field]
    project.task.update(input="{question}", references="solutions", tests="cases", metrics=["exact_match", "parses"])
    rows = [{**ROW, "question": f"Print the sum, {n}.", "cases": CASES} for n in range(12)]
    project.rows(train=rows, test=[*rows[:3], {**rows[3], "cases": None}])
    return project


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def metrics(project: Project) -> dict[str, Any]:  # noqa: F811
    found: dict[str, Any] = json.loads(only(project.folder / "data/07_model_output", "metrics.json").read_text())
    return found


@needs_sandbox
def test_a_run_executes_answers_only_when_asked_to(programs: Project) -> None:
    off = programs.kedro("run")
    assert off.exit_code == 0, off.output
    assert not {"pass_rate", "cases_passed", "pass_n"} & metrics(programs).keys()
    assert "pass_rate" not in pd.read_csv(programs.folder / "data/08_reporting/results.csv").columns
    on = programs.kedro("run", *ON)
    assert on.exit_code == 0, on.output
    assert only(programs.folder / "data/06_models", "*Z/checkpoint").is_dir()  # one version: nothing was trained again
    scores = metrics(programs)
    assert (scores["pass_rate"], scores["cases_passed"], scores["pass_n"], scores["n"]) == (0.0, 0.0, 3.0, 4.0)
    assert scores["metric"] == "exact_match"
    lines = only(programs.folder / "data", "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["tests"] for line in lines] == [CASES, CASES, CASES, None]
    table = pd.read_csv(programs.folder / "data/08_reporting/results.csv").set_index("method")
    assert table["pass_rate"]["zero_shot"] == 0 and pd.isna(table["pass_rate"]["majority"])


def test_missing_bubblewrap_stops_the_run_before_anything_is_made(
    programs: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = programs.kedro("run", *ON)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1] == (
        "Error: execution, enabled: must be false on this machine, got true: bubblewrap (bwrap) is not installed; "
        "get it by 'apt install bubblewrap' or 'dnf install bubblewrap' (Linux only)"
    )
    assert not (programs.folder / "data").exists()
    del programs.task["tests"]  # nothing would be run, so nothing is needed
    assert programs.kedro("run", *ON).exit_code == 0


def test_a_limit_of_nothing_is_refused(programs: Project) -> None:
    result = programs.kedro("run", "--params", "raw=raw,store=data,execution.memory_mb=8")
    assert result.exit_code == 1
    assert "execution, memory_mb: Input should be greater than or equal to 128, got 8" in result.output


@needs_sandbox
def test_items_are_judged_by_their_own_cases() -> None:
    row = base_rows.rows_of("tasks")["apps"]
    task = parse(TaskSpec, "task", row)
    predictions = [
        {"prediction": ROW["solutions"][0], "tests": CASES},
        {"prediction": "input()\nprint(3)", "tests": CASES},
        {"prediction": "print(", "tests": CASES},
        {"prediction": ROW["solutions"][0], "tests": None},
    ]
    assert executed(predictions, task, LIMITS) == {"pass_rate": 1 / 3, "cases_passed": 0.5, "pass_n": 3.0}
    assert executed(predictions, task, LIMITS.model_copy(update={"enabled": False})) == {}
