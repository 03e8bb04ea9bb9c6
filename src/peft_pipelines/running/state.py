"""The record of a unit on disk: which of its nodes have run, with which fingerprints, and how it failed."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node
from pydantic import BaseModel

from peft_pipelines.config import parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, write_json, write_text
from peft_pipelines.running import handed_on
from peft_pipelines.running.damage import Damage, damaged, unreadable
from peft_pipelines.running.failures import Failure, now, traced
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.hashes import files_of
from peft_pipelines.storage.remembered import CHECKED, Remembered

STATE, FAILURE, LOG = "state.json", "failure.json", "failure.log"


class _Entry(BaseModel):
    """A node that has run: its fingerprint, and of each output the version and the hash of each file."""

    fingerprint: str
    finished: str
    outputs: dict[str, str | None]
    sha256: dict[str, dict[str, str]] = {}


class _Record(BaseModel):
    """The content of ``state.json``. ``making`` names the versions that the nodes to come will save."""

    unit: str
    fingerprint: str | None
    making: dict[str, str] = {}
    nodes: dict[str, _Entry]


class State:
    """The file ``state.json`` of a unit, written after each node, so that a killed unit goes on behind the last one.

    One that cannot be read is empty, and counts as damage.
    """

    def __init__(self, unit: Unit, folder: Path) -> None:
        self._unit, self.folder = unit, folder
        self._unreadable: list[Damage] = []
        found = self._read(folder / STATE)
        self.fingerprint: str | None = found.get("fingerprint")
        self.nodes: dict[str, dict[str, Any]] = found.get("nodes", {})
        self.making: dict[str, str] = found.get("making", {})
        self._remembered = Remembered(folder / CHECKED)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = parse(_Record, path.name, read_json(path)).model_dump()
            if found["unit"] != self._unit.tag:
                raise ConfigError(f"is of '{found['unit']}'")
            return found
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self._unreadable.append(unreadable(path, error))
            return {}

    @property
    def readable(self) -> bool:
        """Whether the file can be read, or is not there."""
        return not self._unreadable

    def damage(self, catalog: DataCatalog, *, remember: bool = True) -> list[Damage]:
        """Return what is not as it was recorded: the record itself, and each dataset of which a file differs.

        Unless told not to ``remember`` them, the hashes of the files that were read are kept on disk.
        """
        found = [
            damaged(catalog, name, entry["outputs"].get(name), hashes, self._remembered)
            for entry in self.nodes.values()
            for name, hashes in entry["sha256"].items()
        ]
        if remember:
            with suppress(OSError):  # a store that can only be read
                self._remembered.keep()
        return [*self._unreadable, *(one for one in found if one)]

    def versions(self) -> dict[str, str | None]:
        """Return the version of each dataset that was made, by its name; None for one without versions."""
        return {name: version for entry in self.nodes.values() for name, version in entry["outputs"].items()}

    def made(self) -> dict[str, str]:
        """Return the fingerprint of each dataset that was made, by the dataset's name."""
        return {name: entry["fingerprint"] for entry in self.nodes.values() for name in entry["outputs"]}

    def pending(self, catalog: DataCatalog, fingerprints: dict[str, str], lost: Collection[str] = ()) -> list[Node]:
        """Return the nodes that must run, in order.

        These are the nodes with another fingerprint than recorded, with an output that is gone or among the ``lost``,
        all behind them, and those before them whose output is only in memory.
        """
        needed: dict[str, bool] = {}
        stale: set[str] = set()
        for node in self._unit.nodes:
            done = self.nodes.get(node.name, {"fingerprint": None})
            same = done["fingerprint"] == fingerprints[node.name] and all(
                name not in lost and handed_on.stands(catalog, name, version)
                for name, version in done["outputs"].items()
            )
            needed[node.name] = not same or not stale.isdisjoint(node.inputs)
            stale |= set(node.outputs) if needed[node.name] else set()
        wanted: set[str] = set()
        for node in reversed(self._unit.nodes):
            needed[node.name] |= any(name in wanted and in_memory(catalog, name) for name in node.outputs)
            wanted |= set(node.inputs) if needed[node.name] else set()
        return [node for node in self._unit.nodes if needed[node.name]]

    def begin(self, catalog: DataCatalog, pending: list[Node]) -> None:
        """Forget the nodes that will run, and remove their outputs, so that no stale number can be read.

        Versions that a killed run began and did not record are removed; those that this one will make are noted.
        """
        recorded = self.versions()
        handed_on.discard(catalog, {name: it for name, it in self.making.items() if recorded.get(name) != it})
        made = handed_on.to_be_saved(catalog, [name for node in pending for name in node.outputs])
        self.making = {name: version for name, version in made.items() if version}
        for node in pending:
            self.nodes.pop(node.name, None)
            for name in node.outputs:
                remove(catalog, name)
        for name in (FAILURE, LOG):
            (self.folder / name).unlink(missing_ok=True)
        self._write(None)

    def record(self, catalog: DataCatalog, node: Node, fingerprint: str, unit_fingerprint: str | None) -> None:
        """Record that a node has run; with its last node the unit gets its own fingerprint."""
        outputs = handed_on.to_be_saved(catalog, node.outputs)
        files = {name: found for name in node.outputs if (found := files_of(catalog.get(name)))}
        hashes = {name: self._hashes(name, found) for name, found in files.items()}
        entry = {"fingerprint": fingerprint, "finished": now(), "outputs": outputs, "sha256": hashes}
        self.nodes[node.name] = entry
        self.making = {name: version for name, version in self.making.items() if name not in outputs}
        self._write(unit_fingerprint)
        if unit_fingerprint:
            self._remembered.keep()

    def _hashes(self, dataset: str, files: dict[str, Path]) -> dict[str, str]:
        return {file: self._remembered.sha256(f"{dataset}/{file}", path) for file, path in files.items()}

    def fail(self, node: str, error: Exception, log: str) -> Failure:
        """Record the error that stopped the unit at a node, given by its name."""
        failure = Failure.of(self._unit.title, error, self.folder / LOG)
        write_text(failure.log, f"{log}{traced(error)}")
        entry = {"cell": names.cell_id(*self._unit.names), "node": node, **failure.entry()}
        write_json(self.folder / FAILURE, entry)
        return failure

    def _write(self, fingerprint: str | None) -> None:
        making = {"making": self.making} if self.making else {}
        content = {"unit": self._unit.tag, "fingerprint": fingerprint, **making, "nodes": self.nodes}
        write_json(self.folder / STATE, content)


def recorded_versions(catalog: DataCatalog, unit: Unit) -> dict[str, str | None]:
    """Return the versions of what a unit has made, as its state names them; empty where it has none."""
    path = place(catalog, unit.last)
    return State(unit, path.parent).versions() if path else {}


def hand_on_records(catalog: DataCatalog, units: Iterable[Unit]) -> None:
    """Load what units have made in the versions that their states name."""
    for unit in units:
        handed_on.hand_on(catalog, recorded_versions(catalog, unit))


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
