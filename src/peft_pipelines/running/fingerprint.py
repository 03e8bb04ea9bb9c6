"""What decides a node's result, as a hash: equal hashes mean that the result on disk is what a run would make again.

A result is decided by the values of its rows (not by their comments, licence or citation), by the content of its data,
by the method's files, by the base model, and by what stages.py lists for its kind of node: libraries, our own code,
the device.
"""

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node
from pydantic import BaseModel

from peft_pipelines import providers
from peft_pipelines.errors import ConfigError
from peft_pipelines.io import RowsFolder
from peft_pipelines.io.hashes import hashes_of
from peft_pipelines.models import device, folder_of
from peft_pipelines.releases import releases
from peft_pipelines.runners.stages import DECIDES_NOTHING, Stage, stage_of
from peft_pipelines.runners.units import Unit, is_parameter
from peft_pipelines.specs import MethodSpec, ModelSpec, TaskSpec, TrainingSpec

INFORMS = {"licence", "citation", "notes", "family", "source"}
SAMPLES, BLOCK = 64, 1 << 16


class Fingerprints:
    """The fingerprints of one run's units. Rows, data and models are each looked at once."""

    def __init__(self, catalog: DataCatalog) -> None:
        self._catalog = catalog
        self._values: dict[str, Any] = {}
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, unit: Unit, recorded: Mapping[str, str]) -> dict[str, str]:
        """The fingerprint of each node of a unit, by the node's name.

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
            found[node.name] = digest([constants(stage), function, _module(node.func), inputs])
            made |= dict.fromkeys(node.outputs, found[node.name])
        return found

    def _rows(self, node: Node) -> Iterator[Any]:
        return (self._value(name) for name in node.inputs if is_parameter(name))

    def _value(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._catalog.load(name)
        return self._values[name]

    def _input(self, name: str, made: Mapping[str, str], method: MethodSpec | None, stage: Stage) -> str:
        if is_parameter(name):
            value = self._value(name)
            if isinstance(value, TaskSpec):
                ignored = sorted(stage.ignored)
                return self._once((name, *ignored), lambda: digest(value.model_dump(exclude={*INFORMS, *ignored})))
            return self._once((name, method.name if method else ""), lambda: self._row(value, method))
        dataset = self._catalog.get(name)
        pinned = isinstance(dataset, AbstractVersionedDataset) and dataset._version and dataset._version.load
        if name in made and not pinned:
            return made[name]
        return self._once((name,), lambda: content(name, dataset))

    def _row(self, value: Any, method: MethodSpec | None) -> str:
        """A row's values; with a method its own files or library, with a model its weights, with the protocol what the
        method makes of it."""
        if isinstance(value, TrainingSpec) and method:
            return digest(value.overridden(method))
        if isinstance(value, MethodSpec):
            return digest([value.model_dump(exclude={*INFORMS, "training"}), providers.fingerprint(value)])
        if isinstance(value, ModelSpec):
            folder = folder_of(value, self._catalog.load(f"{value.name}_weights"))
            return digest([value, folder_identity(folder)])
        return digest(value)

    def _once(self, key: tuple[str, ...], make: Callable[[], str]) -> str:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


@cache
def constants(stage: Stage) -> str:
    """A hash of what is the same for all nodes of a kind while a process lasts."""
    libraries = releases(stage.libraries)
    return digest([code(Path(__file__).parents[1], stage.aside), libraries, device().type if stage.device else ""])


def digest(value: Any) -> str:
    """A hash of plain values and rows, whatever the order of their keys."""
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
    """A hash of what a dataset on disk holds. What is only in memory and working folders decide nothing.

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


def folder_identity(folder: Path) -> str:
    """A hash over the names and sizes of a model's files and 64 blocks of 64 KiB out of each.

    Reading gigabytes of weights at each start would take longer than all else; other weights differ in every block.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest([[path.relative_to(folder).as_posix(), _sampled(path)] for path in files])


def _sampled(path: Path) -> str:
    size = path.stat().st_size
    found = hashlib.sha256(str(size).encode())
    with path.open("rb") as handle:
        for start in sorted({max(0, size - BLOCK) * part // (SAMPLES - 1) for part in range(SAMPLES)}):
            handle.seek(start)
            found.update(handle.read(BLOCK))
    return found.hexdigest()


@cache
def code(package: Path, aside: frozenset[str] = DECIDES_NOTHING) -> str:
    """A hash of the modules that decide results; comments, docstrings and layout do not change it."""
    files = sorted(path for path in package.rglob("*.py") if not _among(path.relative_to(package), aside))
    return digest([[path.relative_to(package).as_posix(), meaning(path.read_text(encoding="utf-8"))] for path in files])


@cache
def _module(function: Callable[..., Any]) -> str:
    """A hash of the module that a node's function stands in, for those that decide only what their own node makes."""
    return meaning(inspect.getsource(sys.modules[function.__module__]))


def _among(path: Path, aside: frozenset[str]) -> bool:
    return any(part.as_posix() in aside for part in (path, *path.parents))


def meaning(source: str) -> str:
    """A module's syntax tree without its docstrings.

    >>> meaning("def f():\\n    'Why.'\\n    return 1  # because") == meaning("def f(): return 1")
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(part: ast.AST) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)
