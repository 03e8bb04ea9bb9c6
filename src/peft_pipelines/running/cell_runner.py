"""The runner of a grid: cell by cell, skipping what is unchanged, going on when one fails."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner
from pluggy import PluginManager

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import disk, names
from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running import handed_on
from peft_pipelines.running.claims import POLL, ClaimLost, Claims, of_run
from peft_pipelines.running.display import Lines, display
from peft_pipelines.running.failures import DiskFailed, Failure, PartsFailed
from peft_pipelines.running.interruption import Interrupted, stopping
from peft_pipelines.running.report_runner import ReportRunner, record_of
from peft_pipelines.running.state import State, hand_on_records
from peft_pipelines.running.sweep import sweep_report, sweep_unit
from peft_pipelines.running.unit_runner import Plan, UnitRunner
from peft_pipelines.running.units import Unit, Work, split, units_of

Grid = Mapping[str, Sequence[str]]
"""The names of each axis."""


class CellRunner(AbstractRunner):
    """Runs a pipeline as data, cells and report; the default of ``kedro run`` in this project.

    The data of all tasks come first, and an error in them ends the run. Then each cell runs from its first node to its
    last. A cell that raises is recorded beside its metrics (``failure.json``, ``failure.log``) and the others go on.
    The report is built from what there is; a part of it that raises is recorded too and costs no other. ``PartsFailed``
    is raised at the end. What stands on disk with an unchanged fingerprint is skipped, also inside a cell; the report
    never is.
    """

    def _get_executor(self, max_workers: int) -> Executor | None:
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: DataCatalog,  # type: ignore[override]
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        rows = names.parameter("grid")
        grid = catalog.load(rows) if rows in catalog else {}
        work = split(pipeline.nodes, grid)
        with stopping(), display() as shown, _light_collections(), of_run(run_id) as claims:
            units = UnitRunner(catalog, hook_manager, run_id, self._is_async, shown, claims)
            run = _Run(catalog, units, shown, claims)
            try:
                for unit in work.data + work.cells:
                    sweep_unit(unit, catalog, claims)
                run.data(work, grid)
                failures = run.cells(work.cells)
                missing = run.report(work, grid)
            except KeyboardInterrupt as stop:
                raise Interrupted(stop, run.where(len(work.cells))) from None
            except Exception as error:
                reason = None if isinstance(error, ConfigError) else disk.line(error)
                if reason:
                    raise DiskFailed(reason, run.where(len(work.cells))) from error
                raise
        if failures or missing:
            raise PartsFailed(failures, len(work.cells), missing)


class _Run:
    """One run: data, cells and report, each under its claim. What another run holds is passed over, and waited for."""

    def __init__(self, catalog: DataCatalog, units: UnitRunner, shown: Lines, claims: Claims) -> None:
        self._catalog, self._units, self._shown, self._claims = catalog, units, shown, claims
        self._failures: list[Failure] = []
        self._standing: int | None = None

    def where(self, total: int) -> str:
        """Say what runs now, and how many of the cells stand."""
        phase = self._units.running.rpartition("-")[2]
        at = f"at {self._units.at}{f' ({phase})' if phase else ''}" if self._units.at else "between cells"
        return at if self._standing is None else f"{at}; {self._standing} of {total} cells stand"

    def data(self, work: Work, grid: Grid) -> None:
        """Make the data of the tasks.

        Raises:
            ConfigError: the cells need data that the pipeline does not make, and that are damaged.
        """
        self._in_turn((self._units.plan(unit) for unit in work.data), lambda plan, holder: self._units.run(plan))
        inputs = {name for unit in work.cells for node in unit.nodes for name in node.inputs}
        made = {unit.tag for unit in work.data}
        for unit in units_of(grid):
            if unit.tag.startswith(names.DATA) and unit.tag not in made and unit.last in inputs:
                for damage in State(unit, unit.folder(self._catalog)).damage(self._catalog):
                    raise ConfigError(f"{unit.last}: {damage.line} (in '{damage.path}'), run the pipeline data first")

    def cells(self, units: list[Unit]) -> list[Failure]:
        """Run the pending nodes of each cell, and return the failures."""
        plans = [self._units.plan(unit) for unit in units]
        self._standing = sum(not plan.pending for plan in plans)
        self._shown.plan(len(plans), self._standing)
        self._in_turn(plans, self._cell)
        return self._failures

    def _cell(self, plan: Plan, holder: Holder | None) -> None:
        title, started = plan.unit.title, perf_counter()
        failure = self._units.cell(plan) if plan.pending or plan.damage else None
        seconds = f"{perf_counter() - started:.0f} s"
        if failure:
            self._failures.append(failure)
            self._shown.end(title, f"failed after {seconds}: {failure.kind}: {failure.reason}")
            return
        if plan.pending or holder:
            self._standing = (self._standing or 0) + 1
        how = seconds if plan.pending else f"made by run {holder.run_id}" if holder else "unchanged"
        show = self._shown.end if plan.pending or holder else self._shown.skip
        show(title, ", ".join(filter(None, (self._units.score(plan.unit), how))))

    def report(self, work: Work, grid: Grid) -> list[Failure]:
        """Run the report's nodes, and return the failures. The claim of the report lasts until the run ends."""
        nodes, planned = work.report, {unit.tag for unit in work.data + work.cells}
        if not nodes:
            return []
        folder = record_of(self._catalog).parent
        self._wait_for(folder, "report")
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

    def _in_turn(self, plans: Iterable[Plan], work: Callable[[Plan, Holder | None], None]) -> None:
        """Do the work of each plan: first of those that are free, then of those that other runs have held."""
        held = {plan.unit.tag: (plan, holder) for plan in plans if (holder := self._claimed(plan, work, None))}
        while held:
            sleep(POLL)
            left = {tag: (plan, now) for tag, (plan, was) in held.items() if (now := self._claimed(plan, work, was))}
            held = left

    def _claimed(self, plan: Plan, work: Callable[[Plan, Holder | None], None], was: Holder | None) -> Holder | None:
        """Do a plan's work under the unit's claim, planned anew since others may have made it, or return its holder."""
        if not (plan.pending or plan.damage or was):
            work(plan, None)
            return None
        holder = self._claims.take(plan.state.folder)
        if holder:
            if holder != was:
                self._shown.note(f"{plan.unit.title}: held by {holder}, waiting")
            return holder
        try:
            work(self._units.plan(plan.unit), was)
        except ClaimLost as lost:
            self._shown.note(f"{plan.unit.title}: taken over by {lost}, since this run was silent")
            return self._claims.take(plan.state.folder)
        finally:
            self._claims.release(plan.state.folder)
        return None

    def _wait_for(self, folder: Path, title: str) -> None:
        was = None
        while holder := self._claims.take(folder):
            if holder != was:
                self._shown.note(f"{title}: held by {holder}, waiting")
            was = holder
            sleep(POLL)


@contextmanager
def _light_collections() -> Iterator[None]:
    """Keep what exists before a run (libraries, thousands of nodes) out of the garbage collections after each cell."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
