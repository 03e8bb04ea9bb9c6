"""Cells as runs of Weights & Biases: offline, in a folder, unless ``WANDB_MODE`` says otherwise."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft_pipelines.files.status import Status
from peft_pipelines.tracking.trackers.tracked_cell import Result, TrackedCell

PROJECT, OFFLINE = "peft_pipelines", "offline"


class WandbRuns:
    """Runs of a project of Weights & Biases, without what it would collect of machine, user, code and console.

    Args:
        folder: where the runs lie. ``WANDB_PROJECT`` names another project.
    """

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else errors inside wandb are sent to its makers
        for name in ("CACHE", "DATA"):
            os.environ.setdefault(f"WANDB_{name}_DIR", str(folder.resolve()))
        import wandb  # noqa: PLC0415  (an extra)

        folder.mkdir(parents=True, exist_ok=True)
        self._wandb: Any = wandb  # an extra, of whose types nothing is known where it is not installed
        self._folder = folder.resolve()
        self._mode = os.environ.get("WANDB_MODE") or OFFLINE
        self._open: dict[str, Any] = {}
        self._axes: dict[str, set[str]] = {}

    def begin(self, cell: TrackedCell, before: str | None) -> str:
        """Begin a run for a cell, or begin the one from ``before`` anew under its id.

        What a killed run has written offline is removed then: a training that goes on reports all of its log again.
        """
        taken_up = before if before and self._mode == OFFLINE else None
        if taken_up:
            shutil.rmtree(self._folder / "wandb" / taken_up, ignore_errors=True)
        run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            id=taken_up.rpartition("-")[2] if taken_up else secrets.token_hex(4),  # never WANDB_RUN_ID: one for all
            name=cell.id,
            group=cell.run_id,
            config=dict(cell.params),
            dir=str(self._folder),
            mode=self._mode,
            reinit="create_new",  # workers have several cells under way
            settings=self._settings(),
        )
        name = Path(run.dir).parent.name
        if self._mode == OFFLINE and not Path(run.dir).is_relative_to(self._folder):
            raise OSError(f"it cannot write into '{self._folder}'")  # it would take a temporary folder instead
        self._open[name] = run
        return name

    def _settings(self) -> Any:
        off = dict.fromkeys(("disable_git", "disable_code", "disable_job_creation"), True)
        inner = dict.fromkeys(("x_disable_stats", "x_disable_meta", "x_disable_machine_info"), True)
        return self._wandb.Settings(
            silent=True, console="off", host="", username="", email="", x_save_requirements=False, **off, **inner
        )

    def last_steps(self, run: str) -> dict[str, int]:
        """Return nothing: all is written again."""
        return {}

    def log(self, run: str, step: int, numbers: Mapping[str, float]) -> None:
        """Add numbers of a step, on the axis of their series."""
        series = {name.rpartition("/")[0] for name in numbers}
        for each in series - self._axes.get(run, set()):
            self._open[run].define_metric(f"{each}/*", step_metric=f"{each}/step")
        self._axes.setdefault(run, set()).update(series)
        self._open[run].log({**numbers, **{f"{each}/step": step for each in series}})

    def end(self, run: str, result: Result) -> None:
        """End a run with its numbers and facts as its summary, and its files and model card beside it."""
        opened = self._open.pop(run)
        opened.summary.update({**result.numbers, **result.facts, "status": result.status.value})
        folder = Path(opened.dir)
        if folder.is_dir():  # where WANDB_MODE switches it off there is none
            _add_files(folder, result)
            for path in sorted(folder.iterdir()):
                opened.save(str(path), base_path=str(folder), policy="end")
        opened.finish(exit_code=0 if result.status is Status.DONE else 1)

    def end_dead(self, run: str) -> None:
        """Nothing to mark: what it has written has no end."""

    def close(self) -> None:
        """End the process that wandb has started."""
        self._open.clear()
        self._wandb.teardown()


def _add_files(folder: Path, result: Result) -> None:
    for path in result.files:
        shutil.copy(path, folder)
    if result.card:
        (folder / "README.md").write_text(result.card, encoding="utf-8")
