"""Weights that a method's row does not keep: when they are dropped, and what is trained again where they are needed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.config import Cell, MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.running import handed_on
from peft_pipelines.running.failures import now
from peft_pipelines.running.stages import stage_of
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit
from peft_pipelines.storage.checkpoint import CheckpointFolder, opened, write_card
from peft_pipelines.storage.dropped import Dropped, drop, dropped_from, weights_of


@dataclass(frozen=True)
class Needed:
    """Checkpoints of a unit that are made again for the weights that they lack, and the reason in words."""

    datasets: frozenset[str] = frozenset()
    reason: str = ""


def needed_again(unit: Unit, catalog: DataCatalog, state: State, pending: list[Node], lost: Collection[str]) -> Needed:
    """Return what has to be trained again since its weights were dropped.

    They are needed by a pending node that reads them, or by a row that keeps its weights by now.

    Args:
        unit: the unit.
        catalog: says where its checkpoint is, and has its method's row.
        state: what it has on record.
        pending: the nodes that run anyway.
        lost: datasets that are made again anyway.

    Raises:
        ConfigError: a node needs weights that the run cannot make again: it leaves out the training, or asks for the
            checkpoint by its version.
    """
    made = {name for node in pending for name in node.outputs} | {*lost}
    again: dict[str, str] = {}
    for name, folder in _checkpoints(unit, catalog, state):
        stub = None if name in made else dropped_from(folder)
        if stub and (reason := _reason(name, unit, catalog, pending, stub)):
            again[name] = reason
    return Needed(frozenset(again), "; ".join(sorted(set(again.values()))))


def _reason(name: str, unit: Unit, catalog: DataCatalog, pending: list[Node], stub: Dropped) -> str:
    """Why a checkpoint without weights is made again; empty where nothing needs them."""
    reader = next((node for node in pending if name in node.inputs and stage_of(node.func).reads_weights), None)
    asked = handed_on.asked_for(catalog.get(name))
    trained = not asked and any(name in node.outputs for node in unit.nodes)
    if reader and not trained:
        where = f"--load-versions, {name}" if asked else unit.title
        raise ConfigError(f"{where}: {stub.line}; node '{reader.name}' needs them, and this run does not train them")
    if reader:
        return f"{reader.name.rpartition('-')[2]} needs weights that were dropped"
    row = method_of(unit, catalog)
    return "weights that were dropped are kept by now" if row and row.keep_weights and trained else ""


def not_kept(unit: Unit, catalog: DataCatalog, state: State) -> dict[str, Path]:
    """Return the folder of a cell's checkpoint, by dataset, where its weights are there but not to be kept.

    The cell's nodes must all stand on record. A run that leaves one of them out drops nothing: what it has not looked
    at may still need the weights.
    """
    row, made = method_of(unit, catalog), state.versions()
    if row is None or row.keep_weights:
        return {}
    cell = Cell.of(unit.tag.removeprefix(names.CELL))
    outputs = {name for node in unit.nodes for name in node.outputs}
    if any((name := names.artifact(cell, kind)) not in outputs or name not in made for kind in names.KINDS):
        return {}
    saved = _hashes(state)
    return {
        name: folder
        for name, folder in _checkpoints(unit, catalog, state)
        if weights_of(folder).keys() & saved.get(name, {}).keys() and not handed_on.asked_for(catalog.get(name))
    }


def drop_not_kept(unit: Unit, catalog: DataCatalog, state: State) -> None:
    """Remove the weights that ``not_kept`` names. The unit must be claimed."""
    folders = not_kept(unit, catalog, state)
    if not folders:
        return
    hashes, method = _hashes(state), unit.names[0]
    note = {
        "dropped": now(),
        "because": f"keep_weights: false in the row of method '{method}'",
        "again": (
            f"kedro run --tags={unit.tag} --params methods.{method}.keep_weights=true, "
            "with --env and --params of the run that made it"
        ),
    }
    for name, folder in folders.items():
        drop(folder, hashes[name], note)
        write_card(opened(folder), catalog.load(unit.last))


def _hashes(state: State) -> dict[str, dict[str, str]]:
    """The SHA-256 of each file that a unit's nodes have saved, by dataset."""
    return {name: found for entry in state.nodes.values() for name, found in entry["sha256"].items()}


def method_of(unit: Unit, catalog: DataCatalog) -> MethodSpec | None:
    """Return the row of a cell's method; None of other units, and of cells without rows."""
    name = names.parameter("methods", unit.names[0])
    row = catalog.load(name) if unit.tag.startswith(names.CELL) and name in catalog else None
    return row if isinstance(row, MethodSpec) else None


def _checkpoints(unit: Unit, catalog: DataCatalog, state: State) -> Iterator[tuple[str, Path]]:
    """The checkpoints of a cell that are on disk: those that the run asks for by name, else those on record."""
    for name, version in state.versions().items():
        dataset = catalog.get(name)
        if isinstance(dataset, CheckpointFolder) and handed_on.stands(catalog, name, version):
            asked = handed_on.asked_for(dataset)
            yield name, Path(dataset._get_load_path() if asked or not version else dataset._get_versioned_path(version))
