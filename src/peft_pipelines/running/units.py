"""Units of a pipeline: the nodes of a task's data, the nodes of a cell, and the report on all of them."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.config import AXES, Cell, ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.models.folder import folder_of

Grid = Mapping[str, Sequence[str]]

MODEL_FIRST = ("models", *(axis for axis in AXES if axis != "models"))
"""The order of cells: all of a model together, so that each model is read once."""


@dataclass(frozen=True)
class Unit:
    """Nodes that run one after another without anything in between, in an order that their data allow.

    ``tag`` is what they share: ``data.<task>`` or ``cell.<method>.<model>.<task>.<seed>``.
    """

    tag: str
    nodes: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the tag: the task; or method, model, task and seed."""
        return tuple(self.tag.split(".")[1:])

    @property
    def title(self) -> str:
        """The names for people: ``lora · smollm2_135m · sst2 · s0``."""
        return " · ".join(self.names)

    @property
    def last(self) -> str:
        """The name of the unit's last dataset. Its folder holds the unit's state, whatever part of the unit runs."""
        if self.tag.startswith(names.DATA):
            return names.prompts(self.names[0])
        return names.artifact(Cell.of(self.tag.removeprefix(names.CELL)), names.METRICS)

    def reads(self, datasets: Container[str]) -> bool:
        """Return whether a node of it reads one of these datasets."""
        return any(name in datasets for node in self.nodes for name in node.inputs)

    def folder(self, catalog: DataCatalog) -> Path:
        """Return the folder of the unit's state.

        Raises:
            ConfigError: the catalog keeps the unit's last dataset in memory only.
        """
        path = place(catalog, self.last)
        if path is None:
            raise ConfigError(
                f"catalog.yml: dataset '{self.last}' must be a file, its folder holds the state of '{self.tag}'"
            )
        return path.parent


@dataclass(frozen=True)
class Work:
    """A pipeline in the order in which it runs: data, then the cells, then the report."""

    data: list[Unit]
    cells: list[Unit]
    report: list[Node]


def grid_of(catalog: DataCatalog) -> Grid:
    """Return the grid of a run, by axis; empty for a pipeline without one."""
    grid = names.parameter("grid")
    found: Grid = catalog.load(grid) if grid in catalog else {}
    return found


def split(nodes: Iterable[Node], grid: Grid) -> Work:
    """Group a pipeline's nodes, given in an order that their data allow.

    Cells come in the order of the grid's names, a model at a time.
    """
    groups: dict[str, list[Node]] = {}
    report = []
    for node in nodes:
        tag = next((tag for tag in node.tags if tag.startswith((names.DATA, names.CELL))), None)
        if tag:
            groups.setdefault(tag, []).append(node)
        else:
            report.append(node)
    units = [Unit(tag, tuple(members)) for tag, members in groups.items()]
    data = [unit for unit in units if unit.tag.startswith(names.DATA)]
    cells = [unit for unit in units if unit.tag.startswith(names.CELL)]
    tasks, rank = _ranks(grid, "tasks"), {axis: _ranks(grid, axis) for axis in MODEL_FIRST}
    data.sort(key=lambda unit: (tasks.get(unit.names[0], 0), unit.tag))
    cells.sort(key=lambda unit: (*_position(unit, rank), unit.tag))
    return Work(data, cells, report)


def units_of(grid: Grid) -> list[Unit]:
    """Return the units of all tasks and cells of a grid, without their nodes."""
    cells = [names.cell_tag(names.cell_id(*cell)) for cell in product(*(grid.get(axis, ()) for axis in AXES))]
    return [Unit(tag, ()) for tag in (*map(names.data_tag, grid.get("tasks", ())), *cells)]


def _ranks(grid: Grid, axis: str) -> dict[str, int]:
    return {name: position for position, name in enumerate(grid.get(axis, ()))}


def _position(unit: Unit, rank: Mapping[str, Mapping[str, int]]) -> tuple[int, ...]:
    given = dict(zip(AXES, unit.names, strict=True))
    return tuple(order.get(given[axis], 0) for axis, order in rank.items())


def place(catalog: DataCatalog, name: str) -> Path | None:
    """Return the path of a dataset's file or folder, versions inside it; None for a dataset in memory."""
    dataset = catalog.get(name)
    return Path(dataset._filepath) if isinstance(dataset, AbstractVersionedDataset) else None


def model_folder(model: ModelSpec, catalog: DataCatalog) -> Path:
    """Return a model's folder: its row's own, or the catalog's, which is made where it is asked for."""
    return folder_of(model, Path() if model.folder else catalog.load(names.weights(model.name)))
