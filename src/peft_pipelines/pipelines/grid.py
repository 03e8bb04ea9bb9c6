"""The pipelines of a grid: nodes of each task, of each cell, and of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.pipeline import Pipeline

from peft_pipelines.config import Grid, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.method import UNTUNED
from peft_pipelines.pipelines.cells import pipeline as cells
from peft_pipelines.pipelines.data import pipeline as data
from peft_pipelines.pipelines.report import pipeline as report


def load_grid(loader: AbstractConfigLoader) -> Grid:
    """Return the grid of the run's environment, from its grid.yml.

    Raises:
        ConfigError: there is none, or it is not as a grid must be.
    """
    try:
        values: Mapping[str, Any] = loader["grid"]
    except MissingConfigException:
        raise ConfigError("grid.yml: not found in the configuration's base or environment folder") from None
    grid = parse(Grid, "grid.yml", values)
    return grid.with_seedless(name for name in grid.methods if _draws_nothing(_row(loader, name)))


def _row(loader: AbstractConfigLoader, method: str) -> Mapping[str, Any]:
    """A method's row as it stands there; empty for one that is missing or no row, which is told when rows are read."""
    rows = loader["parameters"].get("methods")
    row = rows.get(method) if isinstance(rows, Mapping) else None
    return row if isinstance(row, Mapping) else {}


def _draws_nothing(row: Mapping[str, Any]) -> bool:
    return row.get("provider") == UNTUNED and not row.get("shots")


def load_together(loader: AbstractConfigLoader, grid: Grid) -> dict[str, list[str]]:
    """Return the tasks that each method of the grid learns together, for methods whose row has ``train_on``."""
    found = {name: _row(loader, name).get("train_on") for name in grid.methods}
    return {name: list(tasks) for name, tasks in found.items() if tasks}


def pipelines_of(grid: Grid, together: Mapping[str, Sequence[str]] | None = None) -> dict[str, Pipeline]:
    """Return the registered pipelines by name; ``together`` names the tasks of methods that learn several at once."""
    together = together or {}
    others = [task for tasks in together.values() for task in tasks]
    parts = {"data": data.create_pipeline(grid, others), "report": report.create_pipeline(grid)}
    whole = Pipeline([*parts["data"].nodes, *cells.create_pipeline(grid, together).nodes, *parts["report"].nodes])
    return {**parts, "benchmark": whole, "__default__": whole}
