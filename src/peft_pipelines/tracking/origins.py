"""Hashes of the data and the base model behind a number, each computed once a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog

from peft_pipelines.config import ModelSpec
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json
from peft_pipelines.models.folder import folder_of, public_name
from peft_pipelines.storage.hashes import cached_sha256, file_hashes

DATA = {"raw": names.raw, "adapted": names.adapted, "prompts": names.prompts}
"""By kind of a task's rows, their dataset's name."""


class Origins:
    """The hashes of tasks' data and models' weights as they are on disk now.

    Args:
        catalog: says where they are.
        lock: the file that pins revisions of the hub.
    """

    def __init__(self, catalog: DataCatalog, lock: Path) -> None:
        self._catalog, self._lock = catalog, lock
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
        hashes = {path.name: cached_sha256(path) for path in sorted(folder.glob("*.safetensors"))}
        return {"name": public_name(spec), "revision": self._revision(spec), "sha256": hashes}

    def _revision(self, spec: ModelSpec) -> str | None:
        if not spec.hub or spec.hub.revision:
            return spec.hub.revision if spec.hub else None
        pins: dict[str, str] = read_json(self._lock) if self._lock.is_file() else {}
        return next((pin for source, pin in pins.items() if spec.hub.repo in source.split()), None)

    def _once(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]
