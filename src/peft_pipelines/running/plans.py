"""What of a unit must run: its record and the disk, compared with what would be made now."""

from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.running import handed_on
from peft_pipelines.running.damage import Damage
from peft_pipelines.running.fingerprint import Fingerprints
from peft_pipelines.running.kept_weights import needed_again, not_kept
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit


@dataclass(frozen=True)
class Plan:
    """A unit with its state on disk, the fingerprints of its nodes, the nodes that must run, in order, and damage.

    ``again`` says why it is trained again only for weights that were dropped, if it is. ``to_drop`` are folders of
    checkpoints whose weights stand and are not to be kept, where no node must run.
    """

    unit: Unit
    state: State
    fingerprints: dict[str, str]
    pending: list[Node]
    damage: list[Damage]
    again: str = ""
    to_drop: tuple[Path, ...] = ()

    @property
    def steps(self) -> list[str]:
        """The steps that would run, such as ``train``, in order."""
        return [node.name.rpartition("-")[2] for node in self.pending]

    @property
    def to_make(self) -> bool:
        """Whether there is anything to make: a node to run, or damage to put aside."""
        return bool(self.pending or self.damage)

    @property
    def to_do(self) -> bool:
        """Whether there is anything to make, or weights to drop."""
        return self.to_make or bool(self.to_drop)


def plan_of(unit: Unit, catalog: DataCatalog, fingerprints: Fingerprints, *, remember: bool = True) -> Plan:
    """Compare a unit with its record and the disk. What will be loaded is handed on in the versions on record.

    Args:
        unit: the unit, whose inputs are on disk.
        catalog: says where everything lies.
        fingerprints: those of the run.
        remember: whether hashes of files that had to be read are kept beside the unit; else nothing is written.

    Raises:
        ConfigError: an input is not on disk, or lacks weights that the run cannot make again.
    """
    state = State(unit, unit.folder(catalog))
    found = fingerprints.of(unit, state.made())
    damage = state.damage(catalog, remember=remember)
    lost = {one.dataset for one in damage}
    pending = state.pending(catalog, found, lost)
    again = needed_again(unit, catalog, state, pending, lost)
    if again.datasets:
        pending = state.pending(catalog, found, lost | again.datasets)
    handed_on.hand_on(catalog, state.versions())
    handed_on.hand_on_own(catalog, pending)
    to_drop = [] if pending or damage else list(not_kept(unit, catalog, state).values())
    return Plan(unit, state, found, pending, damage, again.reason, tuple(to_drop))
