"""What a run would do, found out without running anything: the cells that stand, and the steps that the others need."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines.evaluation import sandbox
from peft_pipelines.files.atomic import read_json
from peft_pipelines.running.failures import Failure
from peft_pipelines.running.fingerprint import Fingerprints
from peft_pipelines.running.plans import Plan, plan_of
from peft_pipelines.running.preflight import Inputs, check, missing
from peft_pipelines.running.state import FAILURE, LOG, State
from peft_pipelines.running.units import Unit, grid_of, split


@dataclass(frozen=True)
class Foreseen:
    """A cell and what a run would do with it.

    ``open`` says that it stands on record, but its data are made first: with the same data it would be skipped.
    ``failure`` is that of the last run, if the cell failed there.
    """

    plan: Plan
    open: bool = False
    failure: Failure | None = None

    @property
    def unit(self) -> Unit:
        """The cell."""
        return self.plan.unit

    @property
    def steps(self) -> list[str]:
        """The steps that would run, such as ``train``, in order."""
        return self.plan.steps


@dataclass(frozen=True)
class Outlook:
    """The cells of a run in its order, and the tasks whose data it makes first.

    ``downloads`` says in words what it downloads before that, by the name of the dataset.
    """

    cells: list[Foreseen]
    tasks: list[str]
    downloads: dict[str, str]

    @property
    def to_make(self) -> list[Foreseen]:
        """The cells that are not skipped."""
        return [cell for cell in self.cells if cell.plan.to_make]


def outlook(pipeline: Pipeline, catalog: DataCatalog) -> Outlook:
    """Say what a run of a pipeline would do. Nothing is downloaded, and nothing is written into the store.

    Rows are tried as before a run, if all is there that they are tried on.

    Raises:
        ConfigError: what a run would end with before its first cell.
    """
    inputs = Inputs(pipeline, catalog)
    for execution in inputs.executions():
        sandbox.check(execution)
    absent = missing(inputs, catalog)
    if not absent:
        check(inputs, catalog)
    work = split(pipeline.nodes, grid_of(catalog))
    fingerprints, not_there = Fingerprints(catalog), set(absent)
    data = []
    for unit in work.data:
        plan = _planned(unit, catalog, fingerprints, not_there)
        not_there |= {name for node in plan.pending for name in node.outputs}
        data += [unit.names[0]] if plan.pending else []
    return Outlook(list(_foreseen(work.cells, catalog, fingerprints, not_there)), data, absent)


def _planned(unit: Unit, catalog: DataCatalog, fingerprints: Fingerprints, not_there: set[str]) -> Plan:
    """The plan of a unit; of one whose inputs are still to be made, all its nodes."""
    if unit.reads(not_there):
        return Plan(unit, State(unit, unit.folder(catalog)), {}, list(unit.nodes), [])
    return plan_of(unit, catalog, fingerprints, remember=False)


def _foreseen(
    cells: list[Unit], catalog: DataCatalog, fingerprints: Fingerprints, not_there: set[str]
) -> Iterator[Foreseen]:
    for unit in cells:
        plan = _planned(unit, catalog, fingerprints, not_there)
        standing = unit.reads(not_there) and plan.state.fingerprint is not None
        yield Foreseen(plan, standing, _failure(plan.state.folder, unit.title) if plan.pending else None)


def _failure(folder: Path, title: str) -> Failure | None:
    """How the cell failed when it was last run."""
    with suppress(OSError, ValueError, KeyError, TypeError):  # none, or a damaged file
        found = read_json(folder / FAILURE)
        return Failure(title, str(found["type"]), str(found["reason"]), folder / LOG)
    return None
