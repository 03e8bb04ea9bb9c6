"""The project as commands need it: in a session, which checks all rows, or only its configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.config import AbstractConfigLoader
from kedro.framework.project import settings
from kedro.utils import find_kedro_project

if TYPE_CHECKING:
    from kedro.io import DataCatalog


@contextmanager
def opened(env: str | None, params: dict[str, Any]) -> "Iterator[tuple[DataCatalog, Path]]":
    """Open a session, and yield its catalog and the project's folder."""
    with settings.SESSION_CLASS.create(env=env, runtime_params=params) as session:
        context = session.load_context()
        yield context.catalog, Path(context.project_path)


def unchecked(env: str | None, params: dict[str, Any]) -> tuple[Path, AbstractConfigLoader]:
    """Return the project's folder and its configuration as it is written, without a session and its checks."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    source = str(project / settings.CONF_SOURCE)
    loader: AbstractConfigLoader = settings.CONFIG_LOADER_CLASS(
        conf_source=source, env=env, runtime_params=params, **settings.CONFIG_LOADER_ARGS
    )
    return project, loader
