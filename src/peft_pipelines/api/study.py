"""Runs of a grid from Python, and their results as a data frame."""

# ruff: noqa: PLC0415  (what runs cells is imported when a grid runs)

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from peft_pipelines.api.arguments import check
from peft_pipelines.api.grid import Grid
from peft_pipelines.api.opened_project import catalog_of, paths, project_of, session_of
from peft_pipelines.api.written_rows import files_of
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import garbage, names
from peft_pipelines.files.screen import show_line
from peft_pipelines.running import kedro_runners, threads

if TYPE_CHECKING:
    import pandas as pd
    from kedro.io import DataCatalog

    from peft_pipelines.running.selection import CheckedSession
    from peft_pipelines.storage.artifact import Artifact

PIPELINE: Final = "benchmark"
Folder = str | os.PathLike[str] | None


def run(
    grid: Grid | None = None,
    *,
    env: str | None = None,
    project: Folder = None,
    store: Folder = None,
    raw: Folder = None,
    workers: int | None = None,
) -> "pd.DataFrame":
    """Run a grid as ``kedro run`` does, and return its results: one row a cell.

    The grid is written into the environment's folder before its first cell, where the command line finds it too. What
    has run already and is unchanged is skipped. The table and the names of the files are printed, as by the command.

    Args:
        grid: the grid; None for the one that stands in the environment's folder.
        env: the environment. With a grid its folder in ``conf/`` is made, or written anew if it was made so.
        project: the project's folder; None for the one around the current folder.
        store: the folder for all that the run makes; None for the environment's own. Relative paths are from the
            project's folder.
        raw: the folder of the raw rows, one folder a task; None for the project's own.
        workers: how many cells run side by side; None for as many as processors and memory allow.

    Raises:
        ConfigError: arguments, rows, names or files are not as they must be. Nothing has run then, and the environment
            is as it was.
        PartsFailed: some cells have failed. The others stand, and ``results`` returns them all.
    """
    check(grid=grid, env=env, project=project, store=store, raw=raw, workers=workers)
    folder, params = project_of(project), paths(store=store, raw=raw)
    with (
        garbage.seldom(),
        _configuration(grid, folder, env, params) as conf,
        session_of(folder, env, params, conf) as session,
    ):
        from peft_pipelines.running.cell_runner import CellRunner  # once Kedro knows the form of its log

        session.run(pipeline_names=[PIPELINE], runner=CellRunner(workers=workers))
    return results(env=env, project=folder, store=store)


@contextmanager
def _configuration(
    grid: Grid | None, project: Path, env: str | None, params: Mapping[str, Any]
) -> Iterator[Path | None]:
    """Yield the configuration of a run, None for the project's own; a grid is written there once nothing refuses it.

    The run of a grid reads its own copy: another one may be written into the environment at the same time.
    """
    if grid is None:
        yield None
        return
    files = files_of(grid, project, env)
    with drafted(files.folder.parent, files.folder.name, files.texts) as conf:
        with session_of(project, env, params, conf) as session:
            _check(session, project)
        files.write()
        yield conf


def _check(session: "CheckedSession", project: Path) -> None:
    """Raise ConfigError for what a run would be refused for before its first cell; what is missing is downloaded."""
    from kedro.framework.project import pipelines

    context = session.load_context()
    from peft_pipelines.running.preflight import preflight  # once Kedro knows the form of its log
    from peft_pipelines.tracking.trackers import trackers

    asked, catalog = context.config_loader["parameters"].get("trackers", ()), cast("DataCatalog", context.catalog)
    trackers.check(asked, kedro_runners.CELL_RUNNER, catalog)
    with threads.limited():
        preflight(pipelines[PIPELINE], catalog, project / names.LOCK, show_line)


def results(*, env: str | None = None, project: Folder = None, store: Folder = None) -> "pd.DataFrame":
    """Return the results of the last run: one row a cell, and one for each answer without a model.

    Among the columns are ``status``, ``primary`` with its 95 % interval ``primary_low`` and ``primary_high``, all other
    scores by name, and the costs, such as ``train_seconds`` (docs/python.md).

    Args:
        env: the environment, as for ``run``.
        project: likewise.
        store: likewise.

    Raises:
        ConfigError: there are no results yet, or an argument is not as it must be.
    """
    check(env=env, project=project, store=store)
    with catalog_of(project_of(project), env, paths(store=store)) as catalog:
        return _loaded(catalog)


def _loaded(catalog: "DataCatalog") -> "pd.DataFrame":
    dataset = cast("Artifact", catalog.get(names.RESULTS))
    if not dataset.exists():
        raise ConfigError(f"results: none are there (looked in '{Path(dataset._filepath)}'); run the grid first")
    found: pd.DataFrame = dataset.load()
    return found
