"""What the files of Weights & Biases hold of a run, and what wandb leaves running."""

import getpass
import json
import platform
from pathlib import Path
from typing import Any

import psutil
import pytest
from tracked import FOLDER, LORA, VARIABLES, ZERO, log_of, made_up_cell, metrics_of, tracked
from wandb_records import records

from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tracked_cell import Result
from peft_pipelines.tracking.trackers.wandb_runs import WandbRuns

pytest.importorskip("wandb", reason="needs wandb, the extra [wandb]")
__all__ = ["tracked"]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_ERROR_REPORTING"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def of_kind(found: list[Any], kind: str) -> list[Any]:
    return [getattr(record, kind) for record in found if record.WhichOneof("record_type") == kind]


def values(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def runs(folder: Path) -> dict[str, tuple[Path, list[Any]]]:
    """The folder and the records of each run, by the cell; each cell has one."""
    found = {path.parent: records(path) for path in folder.glob("wandb/offline-run-*/*.wandb")}
    named = {of_kind(lines, "run")[0].display_name: (path, lines) for path, lines in found.items()}
    assert len(named) == len(found)
    return named


def series(found: list[Any], name: str) -> list[tuple[int, float]]:
    history = [values(each.item) for each in of_kind(found, "history")]
    return [(int(each["train/step"]), each[name]) for each in history if name in each]


def test_each_cell_is_a_run_that_has_ended_well(tracked: Path) -> None:
    found = runs(tracked / FOLDER / "wandb")
    assert set(found) == {LORA, ZERO}
    for cell, (_, lines) in found.items():
        (begun,), (ended,) = of_kind(lines, "run"), of_kind(lines, "exit")
        assert (begun.project, begun.run_group, ended.exit_code) == (
            "peft_pipelines",
            metrics_of(tracked, cell)["run_id"],
            0,
        )
        assert values(begun.config.update)["training.batch_size"] == 2


def test_losses_are_a_series_by_steps(tracked: Path) -> None:
    _, lines = runs(tracked / FOLDER / "wandb")[LORA]
    for name, expected in log_of(tracked, LORA).items():
        assert series(lines, name) == expected, name
    (axis,) = of_kind(lines, "metric")
    assert (axis.glob_name, axis.step_metric) == ("train/*", "train/step")


def test_scores_costs_and_facts_are_the_summary(tracked: Path) -> None:
    for cell, (folder, lines) in runs(tracked / FOLDER / "wandb").items():
        summary = {key: value for each in of_kind(lines, "summary") for key, value in values(each.update).items()}
        expected = metrics_of(tracked, cell)
        assert summary["status"] == "done"
        assert [summary[name] for name in ("accuracy", "train_seconds")] == [
            expected[name] for name in ("accuracy", "train_seconds")
        ]
        files = {path.name for path in (folder / "files").iterdir()}
        assert files == {"metrics.json", "predictions.jsonl", "README.md"}
        assert {each.path for part in of_kind(lines, "files") for each in part.files} == files


def test_what_would_be_sent_names_no_machine(tracked: Path) -> None:
    hidden = {platform.node(), getpass.getuser(), str(tracked)} - {"", "root", "localhost"}
    for path in (tracked / FOLDER / "wandb").glob("wandb/offline-run-*/*.wandb"):
        content = path.read_bytes()
        assert not [name for name in hidden if name.encode() in content]


def test_nothing_of_it_is_left_running(tracked: Path) -> None:
    assert not [each for each in psutil.Process().children(recursive=True) if "wandb" in " ".join(each.cmdline())]


def test_a_run_that_is_taken_up_is_there_once(tmp_path: Path) -> None:
    cell, killed = made_up_cell(tmp_path), WandbRuns(tmp_path / "w")
    run = killed.begin(cell, None)
    for step in range(1, 6):
        killed.log(run, step, {"train/loss": 10.0 - step})
    killed.close()
    again = WandbRuns(tmp_path / "w")
    taken_up = again.begin(cell, run)
    assert taken_up.rpartition("-")[2] == run.rpartition("-")[2]
    for step in range(1, 8):
        again.log(taken_up, step, {"train/loss": 10.0 - step})
    again.end(taken_up, Result(Status.FAILED, facts={"reason": "ValueError: no"}))
    again.close()
    _, lines = runs(tmp_path / "w")[LORA]
    assert series(lines, "train/loss") == [(step, 10.0 - step) for step in range(1, 8)]
    assert of_kind(lines, "exit")[0].exit_code == 1
    summary = {key: value for each in of_kind(lines, "summary") for key, value in values(each.update).items()}
    assert (summary["status"], summary["reason"]) == ("failed", "ValueError: no")


def test_each_cell_has_a_run_of_its_own_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "the_same")
    tracker = WandbRuns(tmp_path / "w")
    begun = [tracker.begin(made_up_cell(tmp_path), None) for _ in range(2)]
    for run in begun:
        tracker.end(run, Result(Status.DONE))
    tracker.close()
    assert len({run.rpartition("-")[2] for run in begun} | {"the_same"}) == 3


def test_the_mode_of_the_environment_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tracker = WandbRuns(tmp_path / "w")
    run = tracker.begin(made_up_cell(tmp_path), None)
    tracker.log(run, 1, {"train/loss": 1.0})
    tracker.end(run, Result(Status.DONE))
    tracker.close()
    assert not list((tmp_path / "w").rglob("*.wandb"))
