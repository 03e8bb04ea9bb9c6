"""A grid of names → the pipelines of its tasks and cells."""

from collections.abc import Mapping
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.pipeline import Pipeline

from peft_pipelines.errors import ConfigError
from peft_pipelines.pipelines import cells, data, report
from peft_pipelines.specs import Grid, parse


def load_grid(loader: AbstractConfigLoader) -> Grid:
    """The grid of the run's environment, from its grid.yml.

    Raises:
        ConfigError: there is none, or it is not as a grid must be.
    """
    try:
        values: Mapping[str, Any] = loader["grid"]
    except MissingConfigException:
        raise ConfigError("grid.yml: not found in the configuration's base or environment folder") from None
    return parse(Grid, "grid.yml", values)


def pipelines_of(grid: Grid) -> dict[str, Pipeline]:
    """The registered pipelines by name."""
    parts = {"data": data.create_pipeline(grid), "report": report.create_pipeline(grid)}
    whole = Pipeline([*parts["data"].nodes, *cells.create_pipeline(grid).nodes, *parts["report"].nodes])
    return {**parts, "benchmark": whole, "__default__": whole}
