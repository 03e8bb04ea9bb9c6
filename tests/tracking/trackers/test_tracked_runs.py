"""Which runs of a tracker a cell gets: one from its beginning to its end, whatever dies in between."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tracked import LORA, made_up_cell

from peft_pipelines.files.owner import me
from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tracked_cell import Result, TrackedCell
from peft_pipelines.tracking.trackers.tracked_runs import TrackedRuns


class Written:
    """A tracker that remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.steps: dict[str, int] = {}

    def begin(self, cell: TrackedCell, before: str | None) -> str:
        self.calls.append(("begin", before))
        return before or f"run of {cell.decided}"

    def last_steps(self, run: str) -> dict[str, int]:
        return self.steps

    def log(self, run: str, step: int, numbers: Mapping[str, float]) -> None:
        self.calls.append(("log", run, step, dict(numbers)))

    def end(self, run: str, result: Result) -> None:
        self.calls.append(("end", run, result.status))

    def end_dead(self, run: str) -> None:
        self.calls.append(("end_dead", run))

    def close(self) -> None:
        self.calls.append(("close",))


@pytest.fixture
def tracker() -> Written:
    return Written()


def entry(step: int, loss: float = 0.5) -> dict[str, float]:
    return {"step": step, "loss": loss}


def killed(folder: Path, tracker: Written, *steps: int) -> None:
    """Leave what a run leaves that is killed behind some steps."""
    runs = TrackedRuns(tracker, folder / "open")
    runs.begin(made_up_cell(folder))
    for step in steps:
        runs.log(LORA, "train", entry(step))
    (path,) = (folder / "open").iterdir()
    left = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**left, "owner": str(replace(me(), began=0))}), encoding="utf-8")
    tracker.calls.clear()


def test_a_step_that_comes_again_is_told_once(tmp_path: Path, tracker: Written) -> None:
    runs = TrackedRuns(tracker, tmp_path / "open")
    runs.begin(made_up_cell(tmp_path))
    for step in (1, 2):
        runs.log(LORA, "train", entry(step))
    runs.begin(made_up_cell(tmp_path))  # its worker has died, and another one goes on from the first step
    for step in (1, 2, 3):
        runs.log(LORA, "train", entry(step))
    runs.log(LORA, "train", {"step": 3, "validation_loss": 0.7})
    assert [call[2] for call in tracker.calls if call[0] == "log"] == [1, 2, 3, 3]
    assert [call for call in tracker.calls if call[0] == "begin"] == [("begin", None)]


def test_a_killed_run_is_marked_and_taken_up(tmp_path: Path, tracker: Written) -> None:
    killed(tmp_path, tracker, 1, 2)
    tracker.steps = {"train/loss": 2}
    for _ in range(2):
        TrackedRuns(tracker, tmp_path / "open").end_dead()
    assert tracker.calls == [("end_dead", "run of 1")]
    runs = TrackedRuns(tracker, tmp_path / "open")
    runs.begin(made_up_cell(tmp_path))
    for step in (2, 3):
        runs.log(LORA, "train", entry(step))
    assert tracker.calls[1:] == [("begin", "run of 1"), ("log", "run of 1", 3, {"train/loss": 0.5})]


def test_one_with_other_rows_is_not_taken_up(tmp_path: Path, tracker: Written) -> None:
    killed(tmp_path, tracker, 1)
    TrackedRuns(tracker, tmp_path / "open").begin(made_up_cell(tmp_path, decided="2"))
    assert tracker.calls == [("end_dead", "run of 1"), ("begin", None)]


def test_a_run_that_lives_is_left_alone(tmp_path: Path, tracker: Written) -> None:
    TrackedRuns(tracker, tmp_path / "open").begin(made_up_cell(tmp_path))
    tracker.calls.clear()
    TrackedRuns(tracker, tmp_path / "open").end_dead()
    assert not tracker.calls


def test_what_has_not_ended_is_interrupted_and_taken_up(tmp_path: Path, tracker: Written) -> None:
    runs = TrackedRuns(tracker, tmp_path / "open")
    runs.begin(made_up_cell(tmp_path))
    runs.close()
    assert tracker.calls[-1] == ("end", "run of 1", Status.INTERRUPTED)
    later = TrackedRuns(tracker, tmp_path / "open")
    later.end_dead()
    later.begin(made_up_cell(tmp_path))
    assert tracker.calls[-1] == ("begin", "run of 1")


def test_a_failed_cell_is_not_taken_up(tmp_path: Path, tracker: Written) -> None:
    (tmp_path / "failure.json").write_text('{"type": "ValueError", "reason": "no"}', encoding="utf-8")
    runs = TrackedRuns(tracker, tmp_path / "open")
    runs.begin(made_up_cell(tmp_path))
    runs.end(LORA, failed=True)
    assert tracker.calls[-1] == ("end", "run of 1", Status.FAILED)
    runs.begin(made_up_cell(tmp_path))
    assert tracker.calls[-1] == ("begin", None)


def test_a_cell_that_another_run_has_made_is_not_told(tmp_path: Path, tracker: Written) -> None:
    TrackedRuns(tracker, tmp_path / "open").end(LORA, failed=False)
    assert not tracker.calls


@pytest.mark.parametrize("content", ["", "{}", '{"run": "x", "decided": "1", "owner": "nonsense"}'])
def test_a_damaged_file_of_an_open_run_ends_nothing(tmp_path: Path, tracker: Written, content: str) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / f"{LORA}.json").write_text(content, encoding="utf-8")
    TrackedRuns(tracker, tmp_path / "open").end_dead()
    assert not tracker.calls
