"""The time that the cells of a run still take, from what cells like them took: known before the first has ended."""

from collections.abc import Iterable
from time import monotonic
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.running.estimates import Estimates, side_by_side
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.units import Unit


class TimeLeft:
    """The time that cells still take, in the order in which they are begun.

    Args:
        cells: what the run makes.
        recorded: what cells have on record, by the cell's tag.
        catalog: the run's.
        workers: how many cells are made side by side.
    """

    def __init__(self, cells: Iterable[Plan], recorded: dict[str, Any], catalog: DataCatalog, workers: int) -> None:
        self._cells = {cell.unit.tag: cell for cell in cells}
        self._by_title = {cell.unit.title: tag for tag, cell in self._cells.items()}
        self._estimates, self._workers = Estimates(recorded, catalog), workers
        self._begun: dict[str, float] = {}
        self._expected: dict[str, float | None] = {}
        self._expect()

    def begin(self, title: str) -> None:
        """Note that a cell begins; one that is made again begins anew."""
        if title in self._by_title:
            self._begun[self._by_title[title]] = monotonic()

    def waits_for(self, unit: Unit) -> bool:
        """Whether a cell is one of those that are left."""
        return unit.tag in self._cells

    def end(self, unit: Unit, numbers: Any) -> None:
        """Note that a cell has ended, and learn from what it took."""
        self._cells.pop(unit.tag, None)
        self._begun.pop(unit.tag, None)
        self._estimates.add(unit.tag, numbers)
        self._expect()

    @property
    def seconds(self) -> float | None:
        """Wall seconds until the last cell has ended, of those that are estimated; None where none of those left is."""
        expected, begun, now = self._expected, dict(self._begun), monotonic()  # it is asked from other threads
        known = {tag: seconds for tag, seconds in expected.items() if seconds is not None}
        if expected and not known:
            return None
        here = [max(0.0, known[tag] - now + since) for tag, since in begun.items() if tag in known]
        return side_by_side([*here, *(known[tag] for tag in known if tag not in begun)], self._workers)

    @property
    def unknown(self) -> int:
        """How many of the cells that are left no estimate is known for."""
        return sum(seconds is None for seconds in self._expected.values())

    def _expect(self) -> None:
        found = {tag: self._estimates.of(cell) for tag, cell in self._cells.items()}
        self._expected = {tag: estimate.seconds if estimate else None for tag, estimate in found.items()}
