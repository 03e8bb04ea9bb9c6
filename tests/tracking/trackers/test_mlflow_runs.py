"""What MLflow's own client reads back of a run."""

from pathlib import Path
from typing import Any

import pytest
from tracked import FOLDER, LORA, ZERO, log_of, metrics_of, tracked

pytest.importorskip("mlflow", reason="needs mlflow, the extra [mlflow]")
__all__ = ["tracked"]


def client(folder: Path) -> Any:
    from mlflow import MlflowClient  # noqa: PLC0415  (an extra)

    return MlflowClient(tracking_uri=(folder / FOLDER / "mlflow").as_uri())


def runs(folder: Path) -> dict[str, Any]:
    """The runs of the experiment by the cell; each cell has one."""
    found = client(folder)
    every = found.search_runs([found.get_experiment_by_name("peft_pipelines").experiment_id])
    assert len({run.data.tags["cell"] for run in every}) == len(every)
    return {run.data.tags["cell"]: run for run in every}


def test_each_cell_is_a_run_that_has_ended_well(tracked: Path) -> None:
    found = runs(tracked)
    assert {cell: run.info.status for cell, run in found.items()} == {LORA: "FINISHED", ZERO: "FINISHED"}
    assert all(run.info.run_name == cell and run.data.tags["status"] == "done" for cell, run in found.items())


def test_losses_are_a_series_by_steps(tracked: Path) -> None:
    run, expected = runs(tracked)[LORA], log_of(tracked, LORA)
    assert {"train/loss", "train/validation_loss", "train/learning_rate"} <= expected.keys()
    for name, series in expected.items():
        history = client(tracked).get_metric_history(run.info.run_id, name)
        assert sorted((each.step, each.value) for each in history) == series, name


def test_scores_and_costs_are_those_of_the_cell(tracked: Path) -> None:
    for cell, run in runs(tracked).items():
        expected = metrics_of(tracked, cell)
        assert run.data.metrics["accuracy"] == expected["accuracy"]
        assert run.data.metrics["train_seconds"] == expected["train_seconds"]
        assert run.data.metrics["train_peak_memory_gb"] == expected["train_peak_memory_gb"]
        assert run.data.tags["run_id"] == expected["run_id"]


def test_rows_are_parameters(tracked: Path) -> None:
    params = runs(tracked)[LORA].data.params
    expected = {"method": "lora", "model": "tiny", "task": "mood", "seed": "s0", "training.batch_size": "2"}
    assert expected.items() <= params.items()
    assert params["method.config.rank_pattern"] == '{"^model.*q_proj$": 2}'  # no name that MLflow takes
    assert {"method.config.r", "training.learning_rate", "sampling.test_rows"} <= params.keys()
    assert not [key for key in params if "citation" in key or "licence" in key]


def test_artifacts_are_numbers_answers_and_card_but_no_weights(tracked: Path) -> None:
    run = runs(tracked)[LORA]
    names = {each.path for each in client(tracked).list_artifacts(run.info.run_id)}
    assert names == {"metrics.json", "predictions.jsonl", "README.md"}
    where = run.data.tags["checkpoint"]
    assert where.startswith("06_models/tiny/mood/lora/s0/checkpoint/") and (tracked / "data" / where).is_dir()
    folder = Path(client(tracked).download_artifacts(run.info.run_id, ""))
    assert "| accuracy |" in (folder / "README.md").read_text(encoding="utf-8")
