"""The runner of a grid: cell by cell, skipping what is unchanged, going on when one fails."""

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from time import perf_counter
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner
from kedro.runner.task import Task
from pluggy import PluginManager

from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.files import names
from peft_pipelines.running import handed_on
from peft_pipelines.running.display import Lines, display
from peft_pipelines.running.failures import Failure, PartsFailed
from peft_pipelines.running.fingerprint import Fingerprints, digest
from peft_pipelines.running.report_runner import ReportRunner
from peft_pipelines.running.state import State, hand_on_records, in_memory
from peft_pipelines.running.units import Unit, Work, split, units_of


@dataclass(frozen=True)
class Plan:
    """A unit with its state on disk, the fingerprints of its nodes, and the nodes that must run, in order."""

    unit: Unit
    state: State
    fingerprints: dict[str, str]
    pending: list[Node]


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
        with display() as shown, _light_collections():
            run = _Run(catalog, hook_manager, run_id, self._is_async, shown)
            for unit in work.data:
                run.unit(run.plan(unit))
            failures = run.cells([run.plan(unit) for unit in work.cells])
            missing = run.report(work, grid)
        if failures or missing:
            raise PartsFailed(failures, len(work.cells), missing)


class _Run:
    """One run: its catalog, hooks and display, and what is done with them for each unit and node."""

    def __init__(
        self,
        catalog: DataCatalog,
        hooks: PluginManager | None,
        run_id: str | None,
        is_async: bool,
        shown: Lines,
    ) -> None:
        self._catalog, self._hooks, self._run_id, self._is_async = catalog, hooks, run_id, is_async
        self._shown, self._fingerprints = shown, Fingerprints(catalog)

    def plan(self, unit: Unit) -> Plan:
        state = State(unit, unit.folder(self._catalog))
        fingerprints = self._fingerprints.of(unit, state.made())
        pending = state.pending(self._catalog, fingerprints)
        handed_on.hand_on(self._catalog, state.versions())
        handed_on.hand_on_own(self._catalog, pending)
        return Plan(unit, state, fingerprints, pending)

    def cells(self, plans: list[Plan]) -> list[Failure]:
        """Run the pending nodes of each cell, and return the failures."""
        waiting = [plan for plan in plans if plan.pending]
        self._shown.plan(len(plans), len(plans) - len(waiting))
        failures = []
        for plan in plans:
            title, started = plan.unit.title, perf_counter()
            failure = self._cell(plan) if plan.pending else None
            seconds = f"{perf_counter() - started:.0f} s"
            if failure:
                failures.append(failure)
                self._shown.end(title, f"failed after {seconds}: {failure.kind}: {failure.reason}")
            elif plan.pending:
                self._shown.end(title, ", ".join(filter(None, (self._score(plan.unit), seconds))))
            else:
                self._shown.skip(title, ", ".join(filter(None, (self._score(plan.unit), "unchanged"))))
        return failures

    def report(self, work: Work, grid: Mapping[str, Sequence[str]]) -> list[Failure]:
        """Run the report's nodes, and return the failures."""
        nodes, planned = work.report, {unit.tag for unit in work.data + work.cells}
        if not nodes:
            return []
        hand_on_records(self._catalog, [unit for unit in units_of(grid) if unit.tag not in planned])
        handed_on.hand_on_own(self._catalog, nodes)
        self._shown.begin("report")
        return ReportRunner(self._catalog, self.node, self._shown.phase, self._shown.lost).run(nodes)

    def _cell(self, plan: Plan) -> Failure | None:
        running = plan.pending[:1]
        with _log() as log:
            try:
                self.unit(plan, running)
                return None
            except Exception as error:  # one cell's error, whatever it is, must not cost the others
                return plan.state.fail(running[-1], error, log.getvalue())
            finally:
                self._release(plan.unit)

    def unit(self, plan: Plan, running: list[Node] | None = None) -> None:
        """Run a unit's pending nodes, and record each."""
        if not plan.pending:
            return
        self._shown.begin(plan.unit.title)
        plan.state.begin(self._catalog, plan.pending)
        for position, node in enumerate(plan.pending):
            if running is not None:
                running.append(node)
            self._shown.phase(node.name.rpartition("-")[2])
            self.node(node)
            left = plan.pending[position + 1 :]
            whole = None if left else digest(plan.fingerprints)
            plan.state.record(self._catalog, node, plan.fingerprints[node.name], whole)
            self._free(node, left)

    def node(self, node: Node) -> None:
        """Load, run, save, with Kedro's hooks around each."""
        Task(node, self._catalog, self._is_async, self._hooks, self._run_id).execute()

    def _free(self, node: Node, left: list[Node]) -> None:
        """Release data that only this node needed: a cell drops the model that it has trained before it generates."""
        wanted = {name for later in left for name in later.inputs}
        for name in node.inputs:
            if name not in wanted and in_memory(self._catalog, name) and not names.is_parameter(name):
                self._catalog.release(name)

    def _release(self, unit: Unit) -> None:
        """Release what the unit left in memory, the live model above all."""
        for name in {
            name for node in unit.nodes for name in (*node.inputs, *node.outputs) if not names.is_parameter(name)
        }:
            self._catalog.release(name)
        gc.collect()

    def _score(self, unit: Unit) -> str:
        """The cell's primary metric in its unit; nothing where a pipeline's cells have none."""
        metrics: Any = self._catalog.load(unit.last) if unit.nodes[-1].outputs == [unit.last] else None
        if not isinstance(metrics, dict) or not {"metric", "primary"} <= metrics.keys():
            return ""
        return f"{metrics['metric']} {quantity(metrics['metric']).unit.with_symbol(metrics['primary'])}"


@contextmanager
def _light_collections() -> Iterator[None]:
    """Keep what exists before a run (libraries, thousands of nodes) out of the garbage collections after each cell."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _log() -> Iterator[StringIO]:
    """Collect what is logged in the block, for the log of a failed cell."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield text
    finally:
        logging.getLogger().removeHandler(handler)
