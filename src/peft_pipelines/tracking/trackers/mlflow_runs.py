"""Cells as runs of MLflow, in a folder of files or on the server that ``MLFLOW_TRACKING_URI`` names."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time

from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tracked_cell import Result, TrackedCell

EXPERIMENT = "peft_pipelines"
ENDED = {Status.DONE: "FINISHED", Status.FAILED: "FAILED", Status.INTERRUPTED: "KILLED"}
MOST, LONGEST = 100, 6000
"""Parameters in one call, and characters of a value: what MLflow takes."""


class MlflowRuns:
    """Runs of an experiment of MLflow, by its client alone: it adds no name of a user, a machine or a script.

    Args:
        folder: where the runs lie, unless ``MLFLOW_TRACKING_URI`` names a server. ``MLFLOW_EXPERIMENT_NAME`` names
            another experiment.
    """

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # else MLflow 3.7 and later ask for a database
        from mlflow import MlflowClient  # noqa: PLC0415  (an extra)
        from mlflow.entities import Metric, Param  # noqa: PLC0415
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        self._metric, self._param, self._error = Metric, Param, MlflowException
        self._client = MlflowClient(tracking_uri=uri or folder.resolve().as_uri())
        self._experiment = self._found(os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)

    def _found(self, name: str) -> str:
        """The id of the experiment, which is made where there is none."""
        known = self._client.get_experiment_by_name(name)
        return str(known.experiment_id if known else self._client.create_experiment(name))

    def begin(self, cell: TrackedCell, before: str | None) -> str:
        """Begin a run for a cell, or take up the one from ``before``."""
        if before:
            with suppress(self._error):  # a person may have deleted it
                self._client.update_run(before, status="RUNNING")
                return before
        tags = {"cell": cell.id, "run_id": cell.run_id, "decided_by": cell.decided}
        run = str(self._client.create_run(self._experiment, run_name=cell.id, tags=tags).info.run_id)
        params = [self._param(key, str(value)[:LONGEST]) for key, value in cell.params.items()]
        for first in range(0, len(params), MOST):
            self._client.log_batch(run, params=params[first : first + MOST])
        return run

    def last_steps(self, run: str) -> dict[str, int]:
        """Return the last step of each metric of a run."""
        names = self._client.get_run(run).data.metrics
        return {name: max(each.step for each in self._client.get_metric_history(run, name)) for name in names}

    def log(self, run: str, step: int, numbers: Mapping[str, float]) -> None:
        """Add metrics of a step."""
        stamp = int(time() * 1000)
        self._client.log_batch(run, metrics=[self._metric(key, value, stamp, step) for key, value in numbers.items()])

    def end(self, run: str, result: Result) -> None:
        """End a run with its numbers as metrics, its facts as tags, and its files and model card as artifacts."""
        if result.numbers:
            self.log(run, 0, result.numbers)
        for key, value in {"status": result.status.value, **result.facts}.items():
            self._client.set_tag(run, key, value)
        for path in result.files:
            self._client.log_artifact(run, str(path))
        if result.card:
            self._client.log_text(run, result.card, "README.md")
        self._client.set_terminated(run, ENDED[result.status])

    def end_dead(self, run: str) -> None:
        """Mark a run whose process was killed."""
        with suppress(self._error):
            self._client.set_terminated(run, ENDED[Status.INTERRUPTED])

    def close(self) -> None:
        """Nothing is held."""
