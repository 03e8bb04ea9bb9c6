"""Cells as runs of TensorBoard: a folder of event files for each."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft_pipelines.tracking.trackers.tracked_cell import Result, TrackedCell


class TensorboardFiles:
    """A folder a cell, ``{run_id}/{cell}``, in which a training's numbers are to be seen as they come.

    Args:
        folder: the one to be given to ``tensorboard --logdir``.
    """

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  (an extra, and torch)

        self._folder, self._writer = folder, SummaryWriter
        self._open: dict[str, tuple[TrackedCell, Any]] = {}

    def begin(self, cell: TrackedCell, before: str | None) -> str:
        """Begin a folder for a cell, or go on in the one from ``before``.

        What a killed run has written there is taken back, by a mark that TensorBoard reads: a training that goes on
        reports all of its log again.
        """
        run = before or f"{cell.run_id}/{cell.id}"
        writer = self._writer(str(self._folder / run), purge_step=0 if before else None)
        self._open[run] = cell, writer
        rows = "\n".join(f"    {key}: {value}" for key, value in cell.params.items())
        writer.add_text("rows", rows, 0)
        writer.flush()
        return run

    def last_steps(self, run: str) -> dict[str, int]:
        """Return nothing: all is written again."""
        return {}

    def log(self, run: str, step: int, numbers: Mapping[str, float]) -> None:
        """Add scalars of a step, and have them on disk."""
        writer = self._open[run][1]
        for key, value in numbers.items():
            writer.add_scalar(key, value, step)
        writer.flush()

    def end(self, run: str, result: Result) -> None:
        """End a run: its numbers beside its rows in the tab HPARAMS, status, facts and model card as texts."""
        cell, writer = self._open.pop(run)
        facts = {"status": result.status.value, **result.facts}
        writer.add_text("facts", "\n".join(f"    {key}: {value}" for key, value in facts.items()), 0)
        if result.card:
            writer.add_text("model card", result.card, 0)
        if result.numbers:
            writer.add_hparams(cell.params, result.numbers, run_name=os.curdir, global_step=0)
        writer.close()

    def end_dead(self, run: str) -> None:
        """Nothing to mark: its event files just end."""

    def close(self) -> None:
        """Close the files of runs that have not ended."""
        for _, writer in self._open.values():
            writer.close()
        self._open.clear()
