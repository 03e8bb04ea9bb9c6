"""What a run would do with what it would take: estimates of its cells, in the order and with the workers of the run."""

from dataclasses import dataclass

from kedro.io import DataCatalog

from peft_pipelines.files import names
from peft_pipelines.running.estimates import Estimate, Estimates, side_by_side
from peft_pipelines.running.longest_first import longest_first, recorded_numbers, recorded_seconds
from peft_pipelines.running.outlook import Foreseen, Outlook
from peft_pipelines.running.processes import Processes
from peft_pipelines.running.units import grid_of, units_of


@dataclass(frozen=True)
class Priced:
    """A run's outlook with the estimate of each cell that it would make, None where no cell is like it.

    The cells stand in the order in which ``workers`` would begin them.
    """

    outlook: Outlook
    estimates: list[tuple[Foreseen, Estimate | None]]
    workers: int

    @property
    def known(self) -> list[Estimate]:
        """The estimates that there are."""
        return [estimate for _, estimate in self.estimates if estimate]

    @property
    def seconds(self) -> float | None:
        """Wall seconds until the last cell is made, of those that are estimated; None where none is."""
        return side_by_side([one.seconds for one in self.known], self.workers) if self.known else None


def priced(found: Outlook, catalog: DataCatalog, workers: int | None) -> Priced:
    """Estimate each cell that a run would make, from the records of all cells of the grid.

    Args:
        found: what the run would do.
        catalog: the run's.
        workers: how many are asked for; None for as many as the run would take.

    Raises:
        ConfigError: the GPUs do not take what is asked for.
    """
    every = [unit for unit in units_of(grid_of(catalog)) if unit.tag.startswith(names.CELL)]
    recorded, cells = recorded_numbers(every, catalog), {cell.unit.tag: cell for cell in found.to_make}
    estimates = Estimates(recorded, catalog)
    of_run = {cell.unit.tag: recorded[cell.unit.tag] for cell in found.cells if cell.unit.tag in recorded}
    order = longest_first([cell.unit for cell in cells.values()], recorded_seconds(of_run))
    pairs = [(cells[unit.tag], estimates.of(cells[unit.tag].plan)) for unit in order]
    return Priced(found, pairs, _workers(found, catalog, workers))


def _workers(found: Outlook, catalog: DataCatalog, asked: int | None) -> int:
    """How many the run would have; what a model needs that is not there yet is not known."""
    sized = [cell.plan for cell in found.to_make if asked is not None or not cell.unit.reads(found.downloads)]
    with Processes(asked, None).staffed(sized, catalog) as size:
        return max(1, size)
