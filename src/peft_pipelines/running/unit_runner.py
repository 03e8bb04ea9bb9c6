"""One unit at a time: what of it must run, and the nodes that do, each recorded when it has run."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from time import perf_counter
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline.node import Node
from kedro.runner.task import Task
from pluggy import PluginManager

from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.files import disk, names
from peft_pipelines.files.claim_file import Holder
from peft_pipelines.files.screen import Formatter
from peft_pipelines.running import interruption
from peft_pipelines.running.claims import ClaimLost, Claims
from peft_pipelines.running.damage import Damage
from peft_pipelines.running.display import Lines
from peft_pipelines.running.failures import Failure, breaks_device
from peft_pipelines.running.fingerprint import Fingerprints, digest
from peft_pipelines.running.kept_weights import drop_not_kept
from peft_pipelines.running.plans import Plan, plan_of
from peft_pipelines.running.state import in_memory
from peft_pipelines.running.units import Unit


@dataclass(frozen=True)
class Outcome:
    """What has become of a cell, in words; whether it was made or tried now; and its failure, if it failed."""

    words: str
    anew: bool
    failure: Failure | None = None

    @classmethod
    def of(cls, failure: Failure, after: str = "") -> "Outcome":
        """Return the outcome of a cell that has failed, ``after`` some time."""
        return cls(f"failed{after}: {failure.kind}: {failure.reason}", True, failure)


class UnitRunner:
    """Plans and runs units with a run's catalog, hooks, display and claims.

    ``at`` is the title of what runs now, and ``running`` its node. ``fingerprints`` are those of the run, if some are
    known already.
    """

    def __init__(
        self,
        catalog: DataCatalog,
        hooks: PluginManager | None,
        run_id: str | None,
        is_async: bool,
        shown: Lines,
        claims: Claims,
        fingerprints: Fingerprints | None = None,
    ) -> None:
        self._catalog, self._hooks, self._run_id, self._is_async = catalog, hooks, run_id, is_async
        self._shown, self._claims = shown, claims
        self.fingerprints = fingerprints or Fingerprints(catalog)
        self.at, self.running = "", ""

    def plan(self, unit: Unit) -> Plan:
        """Compare a unit with its record and the disk. What will be loaded is handed on in the versions on record."""
        return plan_of(unit, self._catalog, self.fingerprints)

    def run(self, plan: Plan) -> None:
        """Put aside what is damaged, run the pending nodes, record each, and drop weights that are not to be kept.

        The unit must be claimed.
        """
        self.put_aside(plan.unit, plan.damage, "it is made again")
        if plan.again:
            self._shown.note(f"{plan.unit.title}: trained again, since {plan.again}")
        if plan.pending:
            self._make(plan)
        drop_not_kept(plan.unit, self._catalog, plan.state)

    def _make(self, plan: Plan) -> None:
        self.begin(plan.unit.title)
        self.running = plan.pending[0].name
        plan.state.begin(self._catalog, plan.pending)
        for position, node in enumerate(plan.pending):
            self.running = node.name
            self._shown.phase(node.name.rpartition("-")[2])
            self.node(node)
            self._claims.check(plan.state.folder)
            left = plan.pending[position + 1 :]
            whole = None if left else digest(plan.fingerprints)
            plan.state.record(self._catalog, node, plan.fingerprints[node.name], whole)
            self._free(node, left)
        self.begin("")

    def outcome(self, plan: Plan, holder: Holder | None) -> Outcome:
        """Make a cell where its plan has something to do, and say what has become of it.

        Args:
            plan: the cell's plan; the cell must be claimed if anything is to be done.
            holder: the run that has made the cell meanwhile, if one has held it.
        """
        started = perf_counter()
        failure = self.cell(plan) if plan.to_do else None
        seconds = perf_counter() - started
        if failure:
            return Outcome.of(failure, f" after {seconds:.0f} s")
        how = f"{seconds:.0f} s" if plan.pending else f"made by run {holder.run_id}" if holder else "unchanged"
        how += ", weights dropped" if plan.to_drop else ""
        return Outcome(", ".join(filter(None, (self.score(plan.unit), how))), bool(plan.pending or holder))

    def cell(self, plan: Plan) -> Failure | None:
        """Run a cell; an error of its own, whatever it is, is recorded and returned, so that it costs no other."""
        with _log() as log:
            try:
                self.run(plan)
                return None
            except ClaimLost:
                raise
            except Exception as error:  # whatever a cell raises must not cost the others
                if disk.line(error, disk.FULL) or breaks_device(error):  # it meets the next cell of the process too
                    raise
                failure = plan.state.fail(self.running, error, log.getvalue())
                self.begin("")
                return failure
            finally:
                self._release(plan.unit)

    def begin(self, title: str) -> None:
        """Note what runs now; an empty title for nothing."""
        self.at, self.running = title, ""
        if title:
            self._shown.begin(title)

    def put_aside(self, unit: Unit, damage: list[Damage], then: str) -> None:
        """Move damaged files aside, a line on the screen for each."""
        for one in damage:
            aside = one.put_aside(self._run_id)
            where = f", put aside in {aside}" if aside else ""
            self._shown.note(f"{unit.title}: {one.line}{where}; {then}")

    def node(self, node: Node) -> None:
        """Load, run, save, with Kedro's hooks around each."""
        Task(node, self._catalog, self._is_async, self._hooks, self._run_id).execute()
        interruption.check()

    def score(self, unit: Unit) -> str:
        """The cell's primary metric in its unit; nothing where a pipeline's cells have none."""
        metrics: Any = self._catalog.load(unit.last) if unit.nodes[-1].outputs == [unit.last] else None
        if not isinstance(metrics, dict) or not {"metric", "primary"} <= metrics.keys():
            return ""
        return f"{metrics['metric']} {quantity(metrics['metric']).unit.with_symbol(metrics['primary'])}"

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


@contextmanager
def _log() -> Iterator[StringIO]:
    """Collect what is logged in the block, for the log of a failed cell."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield text
    finally:
        logging.getLogger().removeHandler(handler)
