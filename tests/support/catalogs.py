"""The catalog of a tiny project's session, and what its cells have on record."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from project import Project


@contextmanager
def catalog_of(project: Project, env: str = "local") -> Iterator[DataCatalog]:
    """Yield the catalog of a session on the project's rows and store."""
    project.write(env)
    bootstrap_project(project.folder)
    where = {"raw": "raw", "store": "data"}
    with settings.SESSION_CLASS.create(project.folder, env=env, runtime_params=where) as session:
        yield session.load_context().catalog


def stored(cell: str) -> list[dict[str, Any]]:
    """The predictions of a cell, as its run has left them."""
    return [json.loads(line) for line in (folder_of(cell) / "predictions.jsonl").read_text().splitlines()]


def folder_of(cell: str) -> Path:
    """The folder of a cell's answers and numbers."""
    method, model, task, seed = cell.split(".")
    return Path("data/07_model_output", model, task, method, seed)


def checkpoint_of(cell: str) -> Path:
    """The folder of a cell's only checkpoint."""
    method, model, task, seed = cell.split(".")
    (found,) = Path("data/06_models", model, task, method, seed, "checkpoint").glob("*/checkpoint")
    return found
