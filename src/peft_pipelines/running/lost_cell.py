"""A cell that ends the process it runs in, again and again: recorded as failed, with what the process said last."""

from kedro.io import DataCatalog

from peft_pipelines.running.claims import Claims
from peft_pipelines.running.failures import Failure
from peft_pipelines.running.state import State
from peft_pipelines.running.sweep import sweep_unit
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit


class WorkersLost(Exception):
    """A cell has ended each process that it was run in."""


def recorded_as_lost(
    catalog: DataCatalog, claims: Claims, unit: Unit, phase: str, how: str, said: str
) -> Outcome | None:
    """Record a cell as failed; None where another run has it by now.

    Args:
        catalog: says where the cell is.
        claims: those of the run.
        unit: the cell.
        phase: the step of the cell that ran last.
        how: how the last process ended.
        said: what it said.
    """
    sweep_unit(unit, catalog, claims)
    folder = unit.folder(catalog)
    if claims.take(folder):
        return None
    try:
        node = next((node.name for node in unit.nodes if node.name.endswith(f"-{phase}")), "")
        memory = ", as it is where memory runs out" if how == "SIGKILL" else ""
        where = f" in {phase}" if phase else ""
        error = WorkersLost(f"each process that it was run in has ended{where}, the last by {how}{memory}")
        failure: Failure = State(unit, folder).fail(node, error, said)
    finally:
        claims.release(folder)
    return Outcome.of(failure)
