"""A new environment: what it takes from the base, where it goes, and its files, read back before they stand."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from kedro.framework.project import settings

from peft_pipelines.config import AXES, NAME_PATTERN, Grid, Parameters, TaskSpec, parse
from peft_pipelines.config.commented_yaml import Field, document
from peft_pipelines.config.conf_loader import STORE
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.grid import Cell
from peft_pipelines.config.schema_files import schema_line
from peft_pipelines.config.spec import LONGEST_NAME
from peft_pipelines.files.atomic import creating, remove_folder
from peft_pipelines.files.names import RESERVED

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog

GRID, PARAMETERS = "grid.yml", "parameters.yml"

_COMMENTS: Final = {
    "raw": "the rows, from the project's folder: a file, or a folder with a file for each split",
    "instruction": "stands before each input; each label word should be in it",
    "input": "a name in braces is a column",
    "labels": "value in the column: the word that a model must answer",
    "ignore_case": "an answer counts in any case",
    "target": "the right answer; a name in braces is a column",
    "group": "rows that give the same text stay on one side of each split",
    "metrics": "the first one is the score; kedro metrics lists all",
}
_SHARE: Final = "no rows are for the test alone, so this share is cut off, equal inputs on one side"
_FEWER: Final = """
# Fewer rows, for a first look or a large file. Without it, all take part.
# sampling: {train_rows: 512, validation_rows: 64, test_rows: 500}
"""


@dataclass(frozen=True)
class Base:
    """What a new environment is made from: the rows and the grid of ``conf/base``, its store and its catalog."""

    project: Path
    rows: Parameters
    grid: Grid
    store: str
    catalog: "DataCatalog"

    @classmethod
    def of(cls, context: "KedroContext") -> "Base":
        """Return that of a session in the base environment."""
        parameters = context.config_loader["parameters"]
        grid = parse(Grid, "grid.yml", parameters["grid"])
        store = str(context.config_loader["globals"][STORE])
        catalog = cast("DataCatalog", context.catalog)
        return cls(Path(context.project_path), Parameters.of(parameters), grid, store, catalog)


@dataclass(frozen=True)
class Place:
    """The names of a new task and its environment."""

    name: str
    env: str
    base: Base

    @property
    def conf(self) -> Path:
        """The folder of the project's configuration."""
        return self.base.project / str(settings.CONF_SOURCE)

    @property
    def folder(self) -> Path:
        """The environment's folder."""
        return self.conf / self.env

    def check(self) -> None:
        """Raise ConfigError for a name that is no name, or stands for something already."""
        for what, name in (("NAME", self.name), ("--env", self.env)):
            try:
                Cell(method=name, model="x", task="x", seed="x")
            except ValueError:
                rule = f"must be small letters, digits and _ behind a letter, {LONGEST_NAME} at most ({NAME_PATTERN})"
                raise ConfigError(f"{what}: {rule}, got '{name:.80}'") from None
        for axis in AXES:
            if self.name in getattr(self.base.rows, axis):
                raise ConfigError(f"NAME: '{self.name}' is a {axis.removesuffix('s')} already; give another name")
        if self.name in RESERVED:
            raise ConfigError(f"NAME: must not be {' or '.join(RESERVED)}, got '{self.name}'")
        for folder in (self.folder, f"{self.base.store}/{self.env}"):
            self.check_free("--env", folder)

    def check_free(self, option: str, path: str | Path) -> None:
        """Raise ConfigError for a path, from the project's folder, at which something stands.

        Args:
            option: what the user gives to have another one.
            path: the path.
        """
        place = self.base.project / path
        if os.path.lexists(place):
            shown = os.path.relpath(place, self.base.project)
            raise ConfigError(f"{option}: '{shown}' is there already and stays as it is; give another {option}")


def texts(place: Place, row: Mapping[str, Any], longest: str) -> dict[str, str]:
    """Return the texts of the environment's files by their names.

    Args:
        place: the names.
        row: the task's row.
        longest: what is said of ``max_new_tokens``.
    """
    comments = {**_COMMENTS, "max_new_tokens": longest, "splits": _SHARE if "test_share" in row["splits"] else ""}
    fields = [Field(key, value, comments.get(key, ""), block=key == "labels") for key, value in row.items()]
    axes = {axis: list(getattr(place.base.grid, axis)) for axis in AXES} | {"tasks": [place.name]}
    head = (
        f"What is compared by kedro run --env={place.env}. More methods, models, tasks and seeds are more names here.\n"
        "For rows that may not be passed on, answers_shown: 0 makes a report without what was asked and answered."
    )
    written = {
        GRID: document(head, [Field(axis, names) for axis, names in axes.items()]),
        PARAMETERS: document("docs/adding.md describes each field.", fields, around=["tasks", place.name]) + _FEWER,
    }
    return {name: schema_line(f"{place.env}/{name}") + text for name, text in written.items()}


def read_back(files: Mapping[str, str], place: Place, task: TaskSpec) -> None:
    """Read the files as a run would.

    Raises:
        ConfigError: they do not hold the task, or nothing could run with them.
    """
    with drafted(place.conf, place.env, files) as conf:
        loader = settings.CONFIG_LOADER_CLASS(str(conf), env=place.env, **settings.CONFIG_LOADER_ARGS)
        rows, grid = Parameters.of(loader["parameters"]), parse(Grid, GRID, loader["grid"])
    rows.check(grid)
    if rows.tasks[place.name] != task:
        raise ConfigError(f"NAME: '{place.name}': YAML cannot hold a text of this task; write plainer ones")


def fill(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def create_all(folders: Mapping[Path, Callable[[Path], None]]) -> None:
    """Make new folders, all or none.

    Args:
        folders: by folder what fills it.

    Raises:
        FileExistsError: one is there already.
    """
    made: list[Path] = []
    try:
        for folder, filled in folders.items():
            with creating(folder) as fresh:
                filled(fresh)
            made.append(folder)
    except BaseException:
        for folder in made:
            remove_folder(folder)
        raise
