"""A cell that ends the process it runs in, again and again: recorded as failed, with what the process said last."""

from collections.abc import Callable

from kedro.io import DataCatalog

from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running.claims import Claims
from peft_pipelines.running.failures import Failure
from peft_pipelines.running.state import State
from peft_pipelines.running.sweep import sweep_unit
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit

Lost = Callable[[Unit, str, str, str], Outcome | Holder]
"""Records a cell that has cost too many workers: the cell, the step that ran, how the last of them ended, and what it
said. Where another one holds it, that one is returned."""


class WorkersLost(Exception):
    """A cell has ended each process that it was run in."""


def recorded_as_lost(
    catalog: DataCatalog, claims: Claims, unit: Unit, phase: str, how: str, said: str
) -> Outcome | Holder:
    """Record a cell as failed, or return who holds it.

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
    if holder := claims.take(folder):
        return holder
    try:
        node = next((node.name for node in unit.nodes if node.name.endswith(f"-{phase}")), "")
        memory = ", as it is where memory runs out" if how == "SIGKILL" else ""
        where = f" in {phase}" if phase else ""
        error = WorkersLost(f"each process that it was run in has ended{where}, the last by {how}{memory}")
        failure: Failure = State(unit, folder).fail(node, error, said)
    finally:
        claims.release(folder)
    return Outcome.of(failure)
