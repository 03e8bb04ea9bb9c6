"""Fingerprints of nodes: hashes of all that decides a result. Where they are equal, a run would make the same again.

A result is decided by the values of its rows (not by their comments, licence or citation), by the content of its data,
by the method's files, by the base model, and by what stages.py lists for its kind of node: libraries, our own code,
the device.
"""

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node
from pydantic import BaseModel

from peft_pipelines.config import MethodSpec, ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.versions import releases
from peft_pipelines.methods import identity
from peft_pipelines.models import device
from peft_pipelines.models.folder import files_of
from peft_pipelines.running.handed_on import asked_for
from peft_pipelines.running.source import PACKAGE, code, meaning
from peft_pipelines.running.stages import DATASETS, DECIDES_NOTHING, Stage, stage_of
from peft_pipelines.running.units import Unit, model_folder
from peft_pipelines.storage.hashes import cached_sha256, hashes_of
from peft_pipelines.storage.splits import RowsFolder

INFORMS = {"licence", "citation", "notes", "family", "source", "raw", "starts_at_base", "keep_weights"}


class Fingerprints:
    """The fingerprints of one run's units. Rows, data and models are each hashed once."""

    def __init__(self, catalog: DataCatalog) -> None:
        self._catalog = catalog
        self._values: dict[str, Any] = {}
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, unit: Unit, recorded: Mapping[str, str]) -> dict[str, str]:
        """Return the fingerprint of each node of a unit, by the node's name.

        Args:
            unit: nodes in running order.
            recorded: for what an earlier run of the unit made, dataset to fingerprint. It stands for the nodes of
                the unit that a filtered pipeline leaves out.
        """
        made, found = dict(recorded), {}
        method = next(
            (value for node in unit.nodes for value in self._rows(node) if isinstance(value, MethodSpec)), None
        )
        for node in unit.nodes:
            function, stage = f"{node.func.__module__}.{node.func.__qualname__}", stage_of(node.func)
            inputs = [self._input(name, made, method, stage) for name in node.inputs]
            same = self._once((function,), partial(constants, stage, node.func))
            found[node.name] = digest([same, function, inputs])
            made |= dict.fromkeys(node.outputs, found[node.name])
        return found

    def _rows(self, node: Node) -> Iterator[Any]:
        return (self._value(name) for name in node.inputs if names.is_parameter(name))

    def _value(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._catalog.load(name)
        return self._values[name]

    def _input(self, name: str, made: Mapping[str, str], method: MethodSpec | None, stage: Stage) -> str:
        if names.is_parameter(name):
            value, ignored = self._value(name), sorted(stage.ignored)
            if isinstance(value, TaskSpec):
                return self._once((name, *ignored), lambda: digest(value.model_dump(exclude={*INFORMS, *ignored})))
            if isinstance(value, MethodSpec):
                return self._once((name, *ignored), lambda: self._method(value, ignored))
            return self._once((name, method.name if method else ""), lambda: self._row(value, method))
        dataset = self._catalog.get(name)
        if name in made and not asked_for(dataset):
            return made[name]
        return self._once((name,), lambda: content(name, dataset))

    def _row(self, value: Any, method: MethodSpec | None) -> str:
        """A row's values; with a model its weights, with the training arguments what the method makes of them."""
        if isinstance(value, TrainingSpec) and method:
            return digest(value.overridden(method))
        if isinstance(value, ModelSpec):
            return digest([value, folder_identity(model_folder(value, self._catalog), value.name)])
        return digest(value)

    def _method(self, value: MethodSpec, ignored: Iterable[str]) -> str:
        """A method's values but for its training arguments, and its own files or library."""
        return digest([value.model_dump(exclude={*INFORMS, *ignored, "training"}), identity.fingerprint(value)])

    def _once(self, key: tuple[str, ...], make: Callable[[], str]) -> str:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def constants(stage: Stage, function: Callable[..., Any]) -> str:
    """Return a hash of what is the same for all nodes of a function in a run: code, libraries, the kind of device.

    Args:
        stage: the function's kind of node.
        function: the nodes' function.
    """
    return _constants(stage, function, device.kind() if stage.device else "")


@cache
def _constants(stage: Stage, function: Callable[..., Any], kind: str) -> str:
    return digest([_code(stage, function), releases(stage.libraries), kind])


def _code(stage: Stage, function: Callable[..., Any]) -> str:
    """A hash of the code that decides what a node's function makes; of a function from elsewhere, its own module's."""
    package, _, module = function.__module__.partition(".")
    if package == PACKAGE.name:
        return code(PACKAGE, stage.folders, DECIDES_NOTHING, starts=(module, *DATASETS))
    return digest(
        [code(PACKAGE, stage.folders, DECIDES_NOTHING), meaning(inspect.getsource(sys.modules[function.__module__]))]
    )


def digest(value: Any) -> str:
    """Return a hash of plain values and rows, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude=INFORMS)
    if isinstance(value, Mapping):
        return {repr(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def content(name: str, dataset: Any) -> str:
    """Return a hash of a dataset's content on disk. Data in memory and working folders decide nothing.

    Raises:
        ConfigError: the dataset should be on disk and is not.
    """
    if not isinstance(dataset, AbstractVersionedDataset):
        return ""
    if not dataset.exists():
        raise ConfigError(
            f"dataset '{name}' is not there (looked in '{dataset._filepath}'), run the pipeline data first"
        )
    if isinstance(dataset, RowsFolder):
        return dataset.fingerprint()
    path = Path(dataset._get_load_path())
    return digest(sorted(hashes_of(path).items()))


def folder_identity(folder: Path, model: str = "") -> str:
    """Return a hash over the names and the content of a model's files that are read.

    Args:
        folder: where they are.
        model: the name of the model's row, for errors.

    Raises:
        ConfigError: the folder holds files that must not be there.
    """
    files = files_of(folder, f"model '{model}', folder '{folder}'" if model else f"folder '{folder}'")
    return digest({name: cached_sha256(path) for name, path in sorted(files.items())})
