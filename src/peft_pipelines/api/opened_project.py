"""A project as Python opens it: found, configured, and in a session whose paths are those of its folder."""

# ruff: noqa: PLC0415  (Kedro reads a variable when it is imported, and whoever only makes a grid need not wait for it)

import os
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, cast

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.shipped import LOGGING, shipped
from peft_pipelines.files.user_cache import cache_folder

if TYPE_CHECKING:
    from kedro.config import AbstractConfigLoader
    from kedro.io import DataCatalog

    from peft_pipelines.running.selection import CheckedSession

PACKAGE: Final = "peft_pipelines"
LOGGED_BY: Final = "KEDRO_LOGGING_CONFIG"
"""The variable that names the file of Kedro's logging; without it Kedro looks for one in the current folder only."""
_ONE: Final = RLock()
"""The current folder, and the project that Kedro knows, are the process's: one thread at a time has them."""


def project_of(given: str | os.PathLike[str] | None) -> Path:
    """Return a project's folder: the one given, else the current one or the nearest around it.

    Raises:
        ConfigError: there is no configuration in it, or no project around the current folder.
    """
    from kedro.utils import find_kedro_project

    with _ONE:  # else the current folder may be that of another thread's session
        found = find_kedro_project(Path.cwd()) if given is None else place(given).resolve()
        if found is None:
            raise ConfigError(
                f"project: must be given, since '{Path.cwd()}' lies in no project's folder; "
                "`peft-pipelines init NAME` makes one"
            )
    if not (found / "conf/base/catalog.yml").is_file():
        raise ConfigError(f"project: must be a folder with conf/base/catalog.yml in it, got '{found}'")
    return Path(found)


def rows_and_models(given: str | os.PathLike[str] | None) -> tuple[Path, Path | None]:
    """Return the folder whose configuration has the rows, and the one for downloaded models where it is another.

    That is the project's folder, as ``project_of`` finds it; outside of all projects the configuration that comes with
    the package, and the user's cache.

    Raises:
        ConfigError: the folder that is given is no project's.
    """
    from kedro.utils import find_kedro_project

    with _ONE:
        if given is None and find_kedro_project(Path.cwd()) is None:
            return shipped(), cache_folder() / "models"
        return project_of(given), None


def paths(**given: str | os.PathLike[str] | None) -> dict[str, str]:
    """Return the folders that are given as the parameters of a run.

    >>> paths(store="results", raw=None)
    {'store': 'results'}
    """
    return {name: str(place(path)) for name, path in given.items() if path is not None}


def place(given: str | os.PathLike[str]) -> Path:
    """Return a path, in which ``~`` is the user's home folder; as in a shell that of an unknown user stays as it is."""
    return Path(os.path.expanduser(given))


def loader_of(project: Path) -> "AbstractConfigLoader":
    """Return what reads a project's configuration: the environment of this machine, or the base where it has none."""
    settings = configured(project)
    env = settings.CONFIG_LOADER_ARGS["default_run_env"]
    source = project / settings.CONF_SOURCE
    env = env if (source / env).is_dir() else settings.CONFIG_LOADER_ARGS["base_env"]
    return cast(
        "AbstractConfigLoader", settings.CONFIG_LOADER_CLASS(str(source), env=env, **settings.CONFIG_LOADER_ARGS)
    )


def configured(project: Path) -> Any:
    """Return Kedro's settings, once it knows this package as its project and where the form of its log stands."""
    if (project / LOGGING).is_file():
        os.environ.setdefault(LOGGED_BY, str(project / LOGGING))
    from kedro.framework.project import configure_project, settings

    configure_project(PACKAGE)
    return settings


@contextmanager
def session_of(
    project: Path, env: str | None, params: Mapping[str, Any], conf: Path | None = None
) -> "Iterator[CheckedSession]":
    """Yield a session of a project, as one of its commands typed in its folder has it.

    The project's folder is the current one as long as the block lasts, so that relative paths mean the same. Another
    thread that asks for a session waits meanwhile.

    Args:
        project: its folder.
        env: the environment, None for the default one.
        params: as ``--params`` gives them.
        conf: the folder of configuration, None for the project's own.
    """
    source = None if conf is None else str(conf)
    with _ONE, chdir(project):
        made_by = configured(project).SESSION_CLASS
        with made_by.create(project, env=env, runtime_params=dict(params), conf_source=source) as session:
            yield session


@contextmanager
def catalog_of(project: Path, env: str | None, params: Mapping[str, Any]) -> "Iterator[DataCatalog]":
    """Yield the catalog of such a session, all rows checked."""
    with session_of(project, env, params) as session:
        yield cast("DataCatalog", session.load_context().catalog)
