"""What becomes of the cells that a run makes, told to hooks of the run's own process, wherever the cells are made."""

from collections.abc import Mapping, Sequence
from typing import Any

from kedro.framework.hooks.markers import hook_spec
from pluggy import PluginManager

from peft_pipelines.files import names
from peft_pipelines.running.fingerprint import digest
from peft_pipelines.running.plans import Plan


class CellSpecs:
    """What hooks may do as cells are made, beside what Kedro lets them do. A cell is given by its id.

    The cell runners call them. An error in one of them ends the run.
    """

    @hook_spec
    def on_cells_planned(self, cells: dict[str, str]) -> None:
        """Before the first cell: all that are to be made, each with a hash of what decides it."""

    @hook_spec
    def on_cell_begin(self, cell: str) -> None:
        """A cell begins; once more where the worker that had it has died."""

    @hook_spec
    def on_cell_logged(self, cell: str, phase: str, entry: Mapping[str, float]) -> None:
        """A training has logged numbers of a step. Those of steps before a resumed training come again."""

    @hook_spec
    def on_cell_end(self, cell: str, failed: bool) -> None:
        """A cell has ended, and what it has made stands on disk."""


class CellEvents:
    """Calls the hooks of a run, as its display is told.

    Args:
        hooks: the run's hooks; anything else has none.
    """

    def __init__(self, hooks: object = None) -> None:
        self._hooks = hooks if isinstance(hooks, PluginManager) else None
        self._cells: dict[str, str] = {}
        self._at: dict[int, str] = {}
        if self._hooks:
            known = getattr(self._hooks.hook, "on_cell_begin", None)
            if known is None or not known.has_spec():
                self._hooks.add_hookspecs(CellSpecs)

    def plan(self, plans: Sequence[Plan]) -> None:
        """Tell of the cells that are to be made."""
        made = {plan.unit.title: plan for plan in plans if plan.to_make}
        self._cells = {title: names.cell_id(*plan.unit.names) for title, plan in made.items()}
        decided = {self._cells[title]: digest(plan.fingerprints) for title, plan in made.items()}
        self._call("on_cells_planned", cells=decided)

    def begin(self, title: str, place: int) -> None:
        """Tell that a cell begins at a place; of all else that begins nothing is told."""
        self._at.pop(place, None)
        if title in self._cells:
            self._at[place] = self._cells[title]
            self._call("on_cell_begin", cell=self._at[place])

    def log(self, phase: str, entry: Mapping[str, float], place: int) -> None:
        """Tell what the cell at a place has logged."""
        if place in self._at:
            self._call("on_cell_logged", cell=self._at[place], phase=phase, entry=entry)

    def end(self, title: str, failed: bool) -> None:
        """Tell that a cell has ended."""
        if title in self._cells:
            self._call("on_cell_end", cell=self._cells[title], failed=failed)

    def _call(self, hook: str, **facts: Any) -> None:
        if self._hooks:
            getattr(self._hooks.hook, hook)(**facts)
