"""Hashes of the data and the base model behind a number, each computed once a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog

from peft_pipelines.config import ModelSpec
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.files.checksum import sha256
from peft_pipelines.models.folder import folder_of, public_name
from peft_pipelines.storage.hashes import file_hashes

WEIGHTS = "weights.json"
DATA = {"raw": names.raw, "adapted": names.adapted, "prompts": names.prompts}
"""By kind of a task's rows, their dataset's name."""


class Origins:
    """The hashes of tasks' data and models' weights as they are on disk now.

    Args:
        catalog: says where they are.
        cache: a file that keeps the hashes of weights by size and time of change, so that they are read once.
        lock: the file that pins revisions of the hub.
    """

    def __init__(self, catalog: DataCatalog, cache: Path, lock: Path) -> None:
        self._catalog, self._cache, self._lock = catalog, cache, lock
        self._known: dict[str, dict[str, Any]] = {}

    def data(self, task: str) -> dict[str, Any]:
        """Return, for the raw, adapted and prompted examples of a task, the version if any and each split's hash."""
        return self._once(f"data {task}", lambda: {kind: self.dataset(name(task)) for kind, name in DATA.items()})

    def dataset(self, name: str) -> dict[str, Any]:
        """Return the version that would be loaded, and the hashes of its files."""
        dataset = self._catalog.get(name)
        hashes = file_hashes(dataset)
        if hashes and isinstance(dataset, AbstractVersionedDataset) and dataset._version:
            return {"version": dataset.resolve_load_version(), "sha256": hashes}
        return {"sha256": hashes}

    def model(self, spec: ModelSpec) -> dict[str, Any]:
        """Return a model's public name, its revision on the hub, and the hash of each weight file."""
        return self._once(f"model {spec.name}", lambda: self._model(spec))

    def _model(self, spec: ModelSpec) -> dict[str, Any]:
        folder = folder_of(spec, self._catalog.load(names.weights(spec.name)))
        return {"name": public_name(spec), "revision": self._revision(spec), "sha256": self._weights(folder)}

    def _revision(self, spec: ModelSpec) -> str | None:
        if not spec.hub or spec.hub.revision:
            return spec.hub.revision if spec.hub else None
        pins: dict[str, str] = read_json(self._lock) if self._lock.is_file() else {}
        return next((pin for source, pin in pins.items() if spec.hub.repo in source.split()), None)

    def _weights(self, folder: Path) -> dict[str, str]:
        cached = _cached(self._cache)
        keys = {path: _key(path) for path in sorted(folder.glob("*.safetensors"))}
        fresh = {key: sha256(path) for path, key in keys.items() if key not in cached}
        if fresh:
            write_json(self._cache, cached | fresh)
        return {path.name: (cached | fresh)[key] for path, key in keys.items()}

    def _once(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def _cached(path: Path) -> dict[str, str]:
    """The hashes that are known; none where the file is missing or damaged."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(path: Path) -> str:
    facts = path.stat()
    return f"{path.name} {facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
