"""The pipelines of a grid: nodes of each task, of each cell, and of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.pipeline import Pipeline

from peft_pipelines.config import Grid, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.method import draws_nothing
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
    return grid.with_seedless(name for name, row in _rows(loader, grid).items() if draws_nothing(row))


def _rows(loader: AbstractConfigLoader, grid: Grid) -> dict[str, Mapping[str, Any]]:
    """The grid's methods with their rows as they stand there, but for what is no row: that is told when rows are read.

    Asked for once a call, not once a method: the loader merges all files anew each time.
    """
    rows = loader["parameters"].get("methods")
    found = {name: rows.get(name) for name in grid.methods} if isinstance(rows, Mapping) else {}
    return {name: row for name, row in found.items() if isinstance(row, Mapping)}


def load_together(loader: AbstractConfigLoader, grid: Grid) -> dict[str, list[str]]:
    """Return the tasks that each method of the grid learns together, for methods whose row has ``train_on``."""
    return {name: list(row["train_on"]) for name, row in _rows(loader, grid).items() if row.get("train_on")}


def pipelines_of(grid: Grid, together: Mapping[str, Sequence[str]] | None = None) -> dict[str, Pipeline]:
    """Return the registered pipelines by name; ``together`` names the tasks of methods that learn several at once."""
    together = together or {}
    others = [task for tasks in together.values() for task in tasks]
    parts = {"data": data.create_pipeline(grid, others), "report": report.create_pipeline(grid)}
    whole = Pipeline([*parts["data"].nodes, *cells.create_pipeline(grid, together).nodes, *parts["report"].nodes])
    return {**parts, "benchmark": whole, "__default__": whole}
