"""The pipelines that Kedro knows: data, report, and benchmark, which is also the default."""

import os
from pathlib import Path

from kedro.config import AbstractConfigLoader
from kedro.framework.project import settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from peft_pipelines.hooks import current_loader
from peft_pipelines.pipelines.grid import load_grid, load_together, pipelines_of


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines of the grid that the current run's environment names."""
    loader = current_loader() or _fallback()
    grid = load_grid(loader)
    return pipelines_of(grid, load_together(loader, grid))


def _fallback() -> AbstractConfigLoader:
    """A loader for the commands that list or draw pipelines without a session, as ``kedro viz`` does."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    return settings.CONFIG_LOADER_CLASS(  # type: ignore[no-any-return]
        conf_source=str(project / settings.CONF_SOURCE), env=os.environ.get("KEDRO_ENV"), **settings.CONFIG_LOADER_ARGS
    )
