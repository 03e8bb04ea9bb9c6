"""Trackers of whole runs: asked for by one line, told of each cell once, and never worth a cell."""

import json
import os
import signal
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from project import Project, project
from recorded import LORA, ZERO, ids, manifest, original, recorded
from tracked import FOLDER, VARIABLES, asks_for

from peft_pipelines.inference import answerer
from peft_pipelines.tracking.trackers import reporter, trackers
from peft_pipelines.training.callbacks import Schedule

__all__ = ["original", "project", "recorded"]
PLACE = "raw=raw,store=data"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tracker counts as installed."""
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)


@pytest.mark.usefixtures("all_found")
def test_a_tracker_switched_on_makes_no_cell_again(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "KNOWN", {})  # none is opened where there is nothing to tell
    result = recorded.kedro("run", f"--params={PLACE},trackers=[mlflow, wandb]")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0] == "2 of 2 cells are unchanged"
    assert not FOLDER.exists() and "trackers" not in manifest(ids()[1])


def test_one_that_is_not_installed_is_named_before_anything_loads(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name == "wandb" else name)
    result = project.kedro("run", f"--params={PLACE},trackers=[mlflow, wandb]")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: trackers: 'wandb' is not installed; pip install 'peft-pipelines[wandb]', "
        "in a clone of the project pip install -e '.[wandb]'\n",
    )
    assert not Path("data").exists()


@pytest.mark.usefixtures("all_found")
def test_a_catalog_without_a_place_for_them_is_refused(project: Project) -> None:
    path = project.folder / "conf/base/catalog.yml"
    catalog = path.read_text(encoding="utf-8")
    path.write_text(catalog.replace("\ntrackers:", "\n_trackers:"), encoding="utf-8")
    result = project.kedro("run", f"--params={PLACE},trackers=[tensorboard]")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: catalog.yml: trackers (tensorboard) need an entry 'trackers', as in a new project\n",
    )


@pytest.mark.usefixtures("all_found")
def test_kedros_own_runner_is_refused(project: Project) -> None:
    result = project.kedro("run", f"--params={PLACE},trackers=[tensorboard]", "--runner=SequentialRunner")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: trackers: tensorboard must be left out with Kedro's own runner")


class Full:
    """A tracker whose disk is full by the time a cell ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, *_: object) -> str:
        return "run"

    def end(self, *_: object) -> None:
        raise OSError(28, "No space left on device", "events")

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.usefixtures("all_found")
def test_a_tracker_that_fails_costs_no_cell(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "KNOWN", {"mlflow": Full})
    project.parameters["trackers"] = ["mlflow"]
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    reason = "OSError: [Errno 28] No space left on device: 'events'"
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("tracker")]
    assert line == f"tracker 'mlflow' has stopped, and the cells go on without it: {reason}"
    found = manifest(ids()[0])
    assert (found["status"], found["trackers"]) == ("done", {"mlflow": reason})
    assert found["cells"][ZERO]["status"] == "done"


class Hung:
    """A tracker that never answers."""

    def __init__(self, folder: Path) -> None:
        Event().wait()


def signalled(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("all_found")
def test_a_signal_leaves_time_for_the_record_of_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "KNOWN", {"mlflow": Hung, "wandb": Hung})
    monkeypatch.setattr(reporter, "PATIENCE", 0.1)
    monkeypatch.setattr(answerer, "generate_and_score", signalled)
    project.parameters["trackers"] = ["mlflow", "wandb"]
    assert project.kedro("run").exit_code == 143
    found, reason = manifest(ids()[0]), "it has not written everything by the end of the run"
    assert (found["status"], found["trackers"]) == ("interrupted", {"mlflow": reason, "wandb": reason})


@pytest.mark.usefixtures("all_found")
def test_a_signal_while_a_tracker_is_waited_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "KNOWN", {"mlflow": Full})
    monkeypatch.setattr(reporter.Reporter, "end", signalled)
    project.parameters["trackers"] = ["mlflow"]
    assert project.kedro("run").exit_code == 143
    found = manifest(ids()[0])
    assert (found["status"], found["cells"][ZERO]["status"]) == ("done", "done")


def runs() -> dict[str, list[Any]]:
    """What MLflow has of each cell, the oldest first."""
    from mlflow import MlflowClient  # noqa: PLC0415  (an extra)

    client = MlflowClient(tracking_uri=(Path.cwd() / FOLDER / "mlflow").as_uri())
    every = client.search_runs([client.get_experiment_by_name("peft_pipelines").experiment_id])
    found: dict[str, list[Any]] = {}
    for run in sorted(every, key=lambda run: run.info.start_time):
        steps = [each.step for each in client.get_metric_history(run.info.run_id, "train/loss")]
        found.setdefault(run.data.tags["cell"], []).append((run.info.status, sorted(steps), run.info.run_id))
    return found


def stop_at(step: int) -> Any:
    """End a training as Ctrl-C does, behind a step whose numbers are not saved yet."""
    whole = Schedule.on_step_end

    def stopping(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        if state.global_step == step:
            raise KeyboardInterrupt
        return whole(self, args, state, control, **kwargs)

    return stopping


def no(*_: object) -> None:
    raise ValueError("no answer")


def test_a_cell_is_one_run_through_interruptions(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is interrupted in training, then fails, then is made; the other cell stands from the first run on."""
    pytest.importorskip("mlflow", reason="needs mlflow, the extra [mlflow]")
    made = asks_for(project, "mlflow")
    with monkeypatch.context() as patched:
        patched.setattr(Schedule, "on_step_end", stop_at(5))
        assert made.kedro("run").exit_code == 130
    interrupted = runs()
    (killed,) = interrupted[LORA]
    assert killed[:2] == ("KILLED", [1, 2, 3, 4])
    with monkeypatch.context() as patched:
        patched.setattr(answerer, "generate_and_score", no)
        assert made.kedro("run").exit_code == 1
    (failed,) = runs()[LORA]
    assert failed == ("FAILED", [1, 2, 3, 4, 5], killed[2])
    assert made.kedro("run").exit_code == 0
    first, last = runs()[LORA]
    assert first == failed and last[:2] == ("FINISHED", [1, 2, 3, 4, 5])
    assert runs()[ZERO] == interrupted[ZERO] and [each[0] for each in interrupted[ZERO]] == ["FINISHED"]
    assert not list((FOLDER / "open").rglob("*.json"))
    assert [json.dumps(manifest(run)["trackers"]) for run in ids()] == ['{"mlflow": "done"}'] * 3
