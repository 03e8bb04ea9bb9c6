"""The pipelines of a grid: nodes of each task, of each cell, and of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.pipeline import Pipeline

from peft_pipelines.config import Grid, parse
from peft_pipelines.config.errors import ConfigError
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
    return parse(Grid, "grid.yml", values)


def load_together(loader: AbstractConfigLoader, grid: Grid) -> dict[str, list[str]]:
    """Return the tasks that each method of the grid learns together, for methods whose row has ``train_on``."""
    rows = loader["parameters"]["methods"]
    return {name: list(rows[name]["train_on"]) for name in grid.methods if rows.get(name, {}).get("train_on")}


def pipelines_of(grid: Grid, together: Mapping[str, Sequence[str]] | None = None) -> dict[str, Pipeline]:
    """Return the registered pipelines by name; ``together`` names the tasks of methods that learn several at once."""
    together = together or {}
    others = [task for tasks in together.values() for task in tasks]
    parts = {"data": data.create_pipeline(grid, others), "report": report.create_pipeline(grid)}
    whole = Pipeline([*parts["data"].nodes, *cells.create_pipeline(grid, together).nodes, *parts["report"].nodes])
    return {**parts, "benchmark": whole, "__default__": whole}
