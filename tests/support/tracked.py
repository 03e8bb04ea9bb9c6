"""A tiny project whose two cells were told to all trackers, once in this process and once in two workers."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from project import Project

from peft_pipelines.tracking.trackers.tracked_cell import TrackedCell

TRACKERS = ("mlflow", "tensorboard", "wandb")
LORA, ZERO = "lora.tiny.mood.s0", "zero_shot.tiny.mood.s0"
FOLDER = Path("data/08_reporting/trackers")
VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_PROJECT")


def all_installed() -> None:
    """Skip where a tracker is not installed."""
    for name in TRACKERS:
        pytest.importorskip(name, reason=f"needs {name}, the extra [{name}]")


def asks_for(project: Project, *trackers: str) -> Project:
    """Give a project two cells, one of which is trained, and trackers."""
    project.grid["methods"] = ["zero_shot", "lora"]
    project.parameters["methods"] = {"lora": {"config": {"rank_pattern": {"^model.*q_proj$": 2}}}}
    project.parameters["training"] = {"epochs": 1, "batch_size": 2, "evaluations": 2}
    project.parameters["trackers"] = list(trackers)
    return project


@cache
def _run(folder: Path, workers: int) -> Path:
    all_installed()
    before = Path.cwd()
    folder.mkdir()
    os.chdir(folder)
    try:
        with pytest.MonkeyPatch.context() as patched:
            for name in VARIABLES:
                patched.delenv(name, raising=False)
            result = asks_for(Project(folder), *TRACKERS).kedro("run", f"--workers={workers}")
        assert result.exit_code == 0, result.output
        assert not [line for line in result.stderr.splitlines() if line.startswith("tracker")]
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="module", params=[1, 2], ids=["here", "in_workers"])
def tracked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder after its run."""
    return _run(tmp_path_factory.getbasetemp() / f"tracked{request.param}", request.param)


def made_up_cell(folder: Path, name: str = LORA, decided: str = "1") -> TrackedCell:
    """A cell that has made nothing yet; its numbers are to lie in a folder."""
    return TrackedCell(
        name, "run1", decided, {"method": "lora", "training.epochs": 1}, {"metrics": folder / "metrics.json"}
    )


def metrics_of(folder: Path, cell: str) -> dict[str, Any]:
    """The numbers of a cell."""
    method, model, task, seed = cell.split(".")
    path = folder / "data/07_model_output" / model / task / method / seed / "metrics.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def log_of(folder: Path, cell: str) -> dict[str, list[tuple[int, float]]]:
    """The log of a cell's training as its record has it: steps and values, by the name that trackers give it."""
    method, model, task, seed = cell.split(".")
    (path,) = (folder / "data/06_models" / model / task / method / seed / "checkpoint").glob("*/checkpoint/record.json")
    series: dict[str, list[tuple[int, float]]] = {}
    for entry in json.loads(path.read_text(encoding="utf-8"))["log"]:
        for name in entry.keys() - {"step"}:
            series.setdefault(f"train/{name}", []).append((entry["step"], entry[name]))
    return series
