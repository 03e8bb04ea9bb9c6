"""A run of a task whose labels are scored as continuations too: its answers, its scores and the report."""

import json

import pytest
from project import Project, project  # noqa: F401

CONTINUATIONS = {"texts": ["bad {sentence}", "good"], "context": "Text: {sentence}\nThis is", "delimiter": " "}


def test_both_scores_stand_in_cells_tables_and_page(project: Project) -> None:  # noqa: F811
    project.task.update(metrics=["acc_norm", "acc", "accuracy"], continuations=CONTINUATIONS)
    done = project.kedro("run", "--pipeline=benchmark")
    assert done.exit_code == 0, done.output
    (path,) = project.folder.glob("data/07_model_output/**/predictions.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["choices"] for row in rows] == [[f"bad {text}", "good"] for text in (f"line {n}" for n in range(4))]
    assert all(len(row["choice_logprobs"]) == 2 and max(row["choice_logprobs"]) < 0 for row in rows)
    (path,) = project.folder.glob("data/07_model_output/**/metrics.json")
    scores = json.loads(path.read_text())
    picked = [logprobs[1] / 4 > logprobs[0] / 10 for logprobs in (row["choice_logprobs"] for row in rows)]
    right = [pick == (row["references"] == ["good"]) for pick, row in zip(picked, rows, strict=True)]
    assert scores["metric"] == "acc_norm" and scores["primary"] == scores["acc_norm"] == sum(right) / 4
    assert scores["primary_low"] <= scores["primary"] <= scores["primary_high"] and 0 <= scores["acc"] <= 1
    for name in ("results.md", "results.tex", "results.csv", "report.html"):
        assert "acc_norm" in (project.folder / "data/08_reporting" / name).read_text().replace("\\_", "_"), name


@pytest.mark.parametrize("shots", [0, 2])
def test_shots_and_a_context_of_the_rows_own_are_refused_together(project: Project, shots: int) -> None:  # noqa: F811
    project.task.update(metrics=["acc"], continuations={"context": "{sentence}"})
    row = {"provider": "none", "type": "none", "family": "baseline", "config": {}, "training": {}, "citation": "-"}
    project.method("asked", **row, shots=shots)
    found = project.kedro("run", "--pipeline=data")
    says = "task 'mood', continuations.context: must be left out of a grid with method 'asked': its shots stand before"
    assert (says in found.output) == bool(shots), found.output
