"""The runner of a grid: cell by cell, skipping what is unchanged, going on when one fails."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner
from pluggy import PluginManager

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import disk, garbage, names
from peft_pipelines.running import handed_on
from peft_pipelines.running.cell_events import CellEvents
from peft_pipelines.running.claims import Claims, of_run
from peft_pipelines.running.crew import Crew
from peft_pipelines.running.display import Lines, display
from peft_pipelines.running.failures import DeviceFailed, DiskFailed, Failure, PartsFailed, breaks_device
from peft_pipelines.running.interruption import Interrupted, stopping
from peft_pipelines.running.longest_first import longest_first, recorded_numbers, recorded_seconds
from peft_pipelines.running.lost_cell import recorded_as_lost
from peft_pipelines.running.processes import Processes
from peft_pipelines.running.progress_file import on_disk
from peft_pipelines.running.report_runner import ReportRunner, record_of
from peft_pipelines.running.same_place import Place
from peft_pipelines.running.shipment import Shipment, shipment_of
from peft_pipelines.running.staff import Staff
from peft_pipelines.running.state import State, hand_on_records
from peft_pipelines.running.sweep import sweep_report, sweep_unit
from peft_pipelines.running.time_left import TimeLeft
from peft_pipelines.running.turns import Turns
from peft_pipelines.running.unit_runner import Outcome, UnitRunner
from peft_pipelines.running.units import Grid, Unit, Work, grid_of, split, units_of


class CellRunner(AbstractRunner):
    """Runs a pipeline as data, cells and report; the default of ``kedro run`` in this project.

    The data of all tasks come first, and an error in them ends the run. Then each cell runs from its first node to its
    last. A cell that raises is recorded beside its metrics (``failure.json``, ``failure.log``) and the others go on.
    The report is built from what there is; a part of it that raises is recorded too and costs no other. ``PartsFailed``
    is raised at the end. What stands on disk with an unchanged fingerprint is skipped, also inside a cell; the report
    never is.

    Args:
        is_async: whether inputs are loaded, and outputs saved, in threads.
        workers: how many processes make cells side by side; with one it is this process. None for as many as
            processors and memory allow, or one for each GPU where GPUs compute.
        per_gpu: how many of them share a GPU; None for one.
    """

    def __init__(self, is_async: bool = False, workers: int | None = 1, per_gpu: int | None = None) -> None:
        super().__init__(is_async)
        self._staff: Staff = Processes(workers, per_gpu)

    def _get_executor(self, max_workers: int) -> Executor | None:
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: DataCatalog,  # type: ignore[override]
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        grid = grid_of(catalog)
        work = split(pipeline.nodes, grid)
        with (
            stopping(),
            display() as shown,
            on_disk(shown.progress, run_id, catalog),
            garbage.light(),
            of_run(run_id) as claims,
        ):
            shown.events = CellEvents(hook_manager)
            units = UnitRunner(catalog, hook_manager, run_id, self._is_async, shown, claims)
            run = _Run(catalog, units, shown, claims)
            shipment = partial(shipment_of, catalog, hook_manager, run_id, self._is_async, units.fingerprints)
            try:
                for unit in work.data + work.cells:
                    sweep_unit(unit, catalog, claims)
                run.data(work, grid)
                failures = run.cells(work.cells, self._staff, shipment)
                missing = run.report(work, grid)
            except KeyboardInterrupt as stop:
                raise Interrupted(stop, run.where(len(work.cells))) from None
            except Exception as error:  # what a full disk raises may be wrapped in anything; all else passes on
                reason = None if isinstance(error, ConfigError) else disk.line(error)
                if breaks_device(error):
                    raise DeviceFailed(error, run.where(len(work.cells))) from error
                if reason:
                    raise DiskFailed(reason, run.where(len(work.cells))) from error
                raise
        if failures or missing:
            raise PartsFailed(failures, len(work.cells), missing)


class _Run:
    """One run: data, cells and report, each under its claim. What another run holds is passed over, and waited for."""

    def __init__(self, catalog: DataCatalog, units: UnitRunner, shown: Lines, claims: Claims) -> None:
        self._catalog, self._units, self._shown, self._claims = catalog, units, shown, claims
        self._turns = Turns(units, claims, shown.note)
        self._failures: list[Failure] = []
        self._standing: int | None = None
        self._crew: Crew | None = None

    def where(self, total: int) -> str:
        """Say what runs now, and how many of the cells stand."""
        phase = self._units.running.rpartition("-")[2]
        here = f"{self._units.at}{f' ({phase})' if phase else ''}" or (self._crew.at if self._crew else "")
        at = f"at {here}" if here else "between cells"
        return at if self._standing is None else f"{at}; {self._standing} of {total} cells stand"

    def data(self, work: Work, grid: Grid) -> None:
        """Make the data of the tasks.

        Raises:
            ConfigError: the cells need data that the pipeline does not make, and that are damaged.
        """
        self._turns.each((self._units.plan(unit) for unit in work.data), lambda plan, holder: self._units.run(plan))
        inputs = {name for unit in work.cells for node in unit.nodes for name in node.inputs}
        made = {unit.tag for unit in work.data}
        for unit in units_of(grid):
            if unit.tag.startswith(names.DATA) and unit.tag not in made and unit.last in inputs:
                for damage in State(unit, unit.folder(self._catalog)).damage(self._catalog):
                    raise ConfigError(f"{unit.last}: {damage.line} (in '{damage.path}'), run the pipeline data first")

    def cells(self, units: list[Unit], staff: Staff, shipment: Callable[[], Shipment]) -> list[Failure]:
        """Run the pending nodes of each cell, here or in workers, and return the failures."""
        plans = [self._units.plan(unit) for unit in units]
        self._standing = sum(not plan.pending for plan in plans)
        self._shown.plan(len(plans), self._standing)
        self._shown.events.plan(plans)
        pending = [plan for plan in plans if plan.to_make]
        recorded = recorded_numbers(units, self._catalog) if pending else {}
        with staff.staffed(pending, self._catalog) as size:
            order = longest_first([plan.unit for plan in pending], recorded_seconds(recorded)) if size else []
            if pending:
                self._shown.progress.time_left = TimeLeft(pending, recorded, self._catalog, max(1, size))
            if size:
                self._side_by_side(order, size, staff, shipment())
        here = [plan for plan in plans if not (size and plan.to_make)]
        self._turns.each(here, lambda plan, holder: self._ended(plan.unit, self._units.outcome(plan, holder)))
        return self._failures

    def _side_by_side(self, order: list[Unit], size: int, staff: Staff, shipment: Shipment) -> None:
        lost = partial(recorded_as_lost, self._catalog, self._claims)
        if staff.elsewhere:
            shipment = replace(shipment, place=Place.of(order, self._catalog))
        with Crew(size, staff, shipment, self._shown, lost) as self._crew:
            for unit, outcome in self._crew.outcomes(order):
                hand_on_records(self._catalog, [unit])
                self._ended(unit, outcome)

    def _ended(self, unit: Unit, outcome: Outcome) -> None:
        if outcome.failure:
            self._failures.append(outcome.failure)
        elif outcome.anew:
            self._standing = (self._standing or 0) + 1
        left = self._shown.progress.time_left
        awaited = left is not None and left.waits_for(unit)  # also where another run has made it meanwhile
        if outcome.anew:
            self._shown.end(unit.title, outcome.words, failed=outcome.failure is not None)
        else:
            self._shown.skip(unit.title, outcome.words, elsewhere=awaited)
        if left and awaited:
            left.end(unit, recorded_numbers([unit], self._catalog).get(unit.tag))

    def report(self, work: Work, grid: Grid) -> list[Failure]:
        """Run the report's nodes, and return the failures. The claim of the report lasts until the run ends."""
        nodes, planned = work.report, {unit.tag for unit in work.data + work.cells}
        if not nodes:
            return []
        folder = record_of(self._catalog).parent
        self._turns.wait_for(folder, "report")
        sweep_report(nodes, self._catalog)
        others = [unit for unit in units_of(grid) if unit.tag not in planned]
        self._put_aside([unit for unit in others if unit.tag.startswith(names.CELL)])
        hand_on_records(self._catalog, others)
        handed_on.hand_on_own(self._catalog, nodes)
        self._units.begin("report")
        return ReportRunner(self._catalog, self._units.node, self._shown.phase, self._shown.lost).run(nodes)

    def _put_aside(self, units: list[Unit]) -> None:
        """Put aside what is damaged of cells that the report reads and the run does not make."""
        for unit in units:
            folder = unit.folder(self._catalog)
            if folder.is_dir() and State(unit, folder).damage(self._catalog) and not self._claims.take(folder):
                try:
                    damage = State(unit, folder).damage(self._catalog)
                    self._units.put_aside(unit, damage, "a run of the cell makes it again")
                finally:
                    self._claims.release(folder)
