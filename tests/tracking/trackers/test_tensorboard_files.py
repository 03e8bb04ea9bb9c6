"""What TensorBoard's own reader finds in the event files of a run."""

from pathlib import Path
from typing import Any

import pytest
from tracked import FOLDER, LORA, ZERO, log_of, made_up_cell, metrics_of, tracked

from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tensorboard_files import TensorboardFiles
from peft_pipelines.tracking.trackers.tracked_cell import Result

pytest.importorskip("tensorboard", reason="needs tensorboard, the extra [tensorboard]")
__all__ = ["tracked"]


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415  (an extra)

    return EventAccumulator(str(folder)).Reload()


def events(folder: Path, cell: str) -> Any:
    (found,) = (folder / FOLDER / "tensorboard").glob(f"*/{cell}")
    assert found.parent.name == metrics_of(folder, cell)["run_id"]
    return read(found)


def text(found: Any, tag: str) -> str:
    (event,) = found.Tensors(f"{tag}/text_summary")
    return str(event.tensor_proto.string_val[0].decode())


def test_losses_are_a_series_by_steps(tracked: Path) -> None:
    found = events(tracked, LORA)
    for name, series in log_of(tracked, LORA).items():
        scalars = [(each.step, pytest.approx(each.value, rel=1e-6)) for each in found.Scalars(name)]
        assert scalars == series, name


def test_scores_and_costs_stand_beside_the_rows(tracked: Path) -> None:
    for cell in (LORA, ZERO):
        found, expected = events(tracked, cell), metrics_of(tracked, cell)
        for name in ("accuracy", "train_seconds", "train_peak_memory_gb"):
            assert [each.value for each in found.Scalars(name)] == [pytest.approx(expected[name], rel=1e-6)]
        assert "_hparams_/session_start_info" in found.PluginTagToContent("hparams")


def test_rows_facts_and_card_are_texts(tracked: Path) -> None:
    found = events(tracked, LORA)
    assert "    training.batch_size: 2" in text(found, "rows")
    assert "    status: done" in text(found, "facts")
    assert "checkpoint: 06_models/tiny/mood/lora/s0/checkpoint/" in text(found, "facts")
    assert "| accuracy |" in text(found, "model card")


def test_a_run_that_is_taken_up_crosses_no_series(tmp_path: Path) -> None:
    """The killed one was three steps further than the state from which the training goes on."""
    cell, killed = made_up_cell(tmp_path), TensorboardFiles(tmp_path / "tb")
    run = killed.begin(cell, None)
    for step in range(1, 6):
        killed.log(run, step, {"train/loss": 10.0 - step})
    killed.close()
    again = TensorboardFiles(tmp_path / "tb")
    assert again.begin(cell, run) == run and not again.last_steps(run)
    for step in range(1, 8):
        again.log(run, step, {"train/loss": 10.0 - step})
    again.end(run, Result(Status.DONE, {"accuracy": 0.5}))
    found = read(tmp_path / "tb" / run)
    assert [(each.step, each.value) for each in found.Scalars("train/loss")] == [(n, 10.0 - n) for n in range(1, 8)]
    assert "status: done" in text(found, "facts")


def test_a_failed_cell_says_why(tmp_path: Path) -> None:
    tracker = TensorboardFiles(tmp_path / "tb")
    run = tracker.begin(made_up_cell(tmp_path), None)
    tracker.end(run, Result(Status.FAILED, facts={"reason": "ValueError: no"}))
    assert text(read(tmp_path / "tb" / run), "facts") == "    status: failed\n    reason: ValueError: no"
