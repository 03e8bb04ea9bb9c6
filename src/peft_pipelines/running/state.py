"""The record of a unit on disk: which of its nodes have run, with which fingerprints, and how it failed."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, write_json, write_text
from peft_pipelines.running.failures import Failure, now, traced
from peft_pipelines.running.units import Unit
from peft_pipelines.storage.hashes import file_hashes

STATE, FAILURE, LOG = "state.json", "failure.json", "failure.log"


class State:
    """The file ``state.json`` of a unit, written after each node, so that a killed unit goes on behind the last one."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self._unit, self._folder = unit, folder
        path = folder / STATE
        self._nodes: dict[str, Any] = read_json(path)["nodes"] if path.is_file() else {}

    def made(self) -> dict[str, str]:
        """Return the fingerprint of each dataset that was made, by the dataset's name."""
        return {name: entry["fingerprint"] for entry in self._nodes.values() for name in entry["outputs"]}

    def pending(self, catalog: DataCatalog, fingerprints: dict[str, str]) -> list[Node]:
        """Return the nodes that must run, in order.

        These are the nodes with another fingerprint than recorded, with an output that is gone, all behind them, and
        those before them whose output is only in memory.
        """
        needed: dict[str, bool] = {}
        stale: set[str] = set()
        for node in self._unit.nodes:
            done = self._nodes.get(node.name, {"fingerprint": None})
            same = done["fingerprint"] == fingerprints[node.name] and _standing(catalog, done["outputs"])
            needed[node.name] = not same or not stale.isdisjoint(node.inputs)
            stale |= set(node.outputs) if needed[node.name] else set()
        wanted: set[str] = set()
        for node in reversed(self._unit.nodes):
            needed[node.name] |= any(name in wanted and in_memory(catalog, name) for name in node.outputs)
            wanted |= set(node.inputs) if needed[node.name] else set()
        return [node for node in self._unit.nodes if needed[node.name]]

    def begin(self, catalog: DataCatalog, pending: list[Node]) -> None:
        """Forget the nodes that will run, and remove their outputs, so that no stale number can be read."""
        for node in pending:
            self._nodes.pop(node.name, None)
            for name in node.outputs:
                remove(catalog, name)
        for name in (FAILURE, LOG):
            (self._folder / name).unlink(missing_ok=True)
        self._write(None)

    def record(self, catalog: DataCatalog, node: Node, fingerprint: str, unit_fingerprint: str | None) -> None:
        """Record that a node has run; with its last node the unit gets its own fingerprint."""
        outputs = {name: _saved_version(catalog, name) for name in node.outputs}
        hashes = {name: found for name in node.outputs if (found := file_hashes(catalog.get(name)))}
        entry = {"fingerprint": fingerprint, "finished": now(), "outputs": outputs, "sha256": hashes}
        self._nodes[node.name] = entry
        self._write(unit_fingerprint)

    def fail(self, node: Node, error: Exception, log: str) -> Failure:
        """Record the error that stopped the unit at a node."""
        failure = Failure.of(self._unit.title, error, self._folder / LOG)
        write_text(failure.log, f"{log}{traced(error)}")
        entry = {"cell": names.cell_id(*self._unit.names), "node": node.name, **failure.entry()}
        write_json(self._folder / FAILURE, entry)
        return failure

    def _write(self, fingerprint: str | None) -> None:
        write_json(self._folder / STATE, {"unit": self._unit.tag, "fingerprint": fingerprint, "nodes": self._nodes})


def _standing(catalog: DataCatalog, outputs: dict[str, str | None]) -> bool:
    """Whether the files are there, in the version that was made; another one if the run asks for it by name."""
    return all(_stands(catalog.get(name), version) for name, version in outputs.items())


def _stands(dataset: Any, version: str | None) -> bool:
    if not isinstance(dataset, AbstractVersionedDataset):
        return True
    if not dataset.exists():
        return False
    pinned = dataset._version and dataset._version.load
    return bool(pinned) or dataset.resolve_load_version() == version


def _saved_version(catalog: DataCatalog, name: str) -> str | None:
    dataset = catalog.get(name)
    return dataset.resolve_save_version() if isinstance(dataset, AbstractVersionedDataset) else None


def in_memory(catalog: DataCatalog, name: str) -> bool:
    """Whether a dataset's data die with the process."""
    return bool(getattr(catalog.get(name), "_EPHEMERAL", False))


def remove(catalog: DataCatalog, name: str) -> None:
    """Remove a dataset's unversioned file.

    Old versions are history, and a folder is replaced as a whole when it is saved.
    """
    dataset = catalog.get(name)
    if isinstance(dataset, AbstractVersionedDataset) and not dataset._version and Path(dataset._filepath).is_file():
        Path(dataset._filepath).unlink()
