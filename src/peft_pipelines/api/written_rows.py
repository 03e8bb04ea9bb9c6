"""A grid of Python as the files of an environment, so that the command line runs what Python has run."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from peft_pipelines.api.grid import Grid
from peft_pipelines.config import NAME_PATTERN
from peft_pipelines.config.conf_files import read_bytes
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.schema_files import schema_line
from peft_pipelines.config.spec import LONGEST_NAME, shown
from peft_pipelines.config.yaml_tree import Dumper
from peft_pipelines.files.atomic import replacing, sweep_beside
from peft_pipelines.files.claim_file import guarded
from peft_pipelines.files.escape import is_half

HEADER: Final = "# Written by peft_pipelines.run, which replaces it when it runs another grid in this environment.\n"
GRID: Final = "grid.yml"
ROWS: Final = "parameters.yml"
TAKEN: Final = ("base", "local")
"""Environments that hold for others too, or whose files are written by hand."""


@dataclass(frozen=True)
class GridFiles:
    """A grid and its rows as the files of an environment.

    Attributes:
        folder: the environment's, which need not be there.
        texts: the files' texts by name. Their first line names their schema, for editors.
    """

    folder: Path
    texts: Mapping[str, str]

    def check(self) -> None:
        """Raise ConfigError for a file in their place that was not written from here."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"env: '{self.folder}' is no folder; choose another name than '{self.folder.name}'")
        for name in self.texts:
            path, schema = self.folder / name, schema_line(f"{self.folder.name}/{name}")
            found = read_bytes(path, str(path)) if path.exists() else HEADER.encode()
            if not found.removeprefix(schema.encode()).startswith(HEADER.encode()):
                raise ConfigError(
                    f"env: must be one whose {name} was written from Python, got '{self.folder.name}'; choose another "
                    "name, or leave the grid out to run this environment as it is"
                )

    def write(self) -> None:
        """Write the files, those of one grid even where two processes write; the folder is made where it is missing.

        All lie beside their places before the first is replaced, so that hardly a moment is between the two.

        Raises:
            ConfigError: as of ``check``.
        """
        with guarded(self.folder.parent), ExitStack() as replaced:
            self.check()
            self.folder.mkdir(exist_ok=True)
            for name, text in self.texts.items():
                sweep_beside(self.folder / name)
                replaced.enter_context(replacing(self.folder / name)).write_text(text, encoding="utf-8")


def files_of(grid: Grid, project: Path, env: str | None) -> GridFiles:
    """Return a grid and its rows as ``grid.yml`` and ``parameters.yml`` of an environment. Nothing is written.

    Args:
        grid: the grid.
        project: the project's folder.
        env: the environment's name.

    Raises:
        ConfigError: the name is none, files of the folder were not written from here, or a value is of no type that
            YAML has.
    """
    name = _checked(env)
    axes = grid.spec.model_dump(mode="json", exclude_defaults=True)
    texts = {GRID: _text("Grid", axes), ROWS: _text("rows", grid.rows)}
    found = GridFiles(project / "conf" / name, {file: schema_line(f"{name}/{file}") + texts[file] for file in texts})
    found.check()
    return found


def _checked(env: str | None) -> str:
    if env is None:
        raise ConfigError("env: must be given with a grid: the name of the folder in conf/ that will hold it")
    if not re.fullmatch(NAME_PATTERN, env) or len(env) > LONGEST_NAME or env in TAKEN:
        raise ConfigError(
            f"env: must be a name of small letters, digits and _, {LONGEST_NAME} at most, and none of "
            f"{', '.join(TAKEN)}, got '{env:.80}'"
        )
    return env


class _Rows(Dumper):
    """Writes the types of rows, each value where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a dictionary that stands in two places twice, as a person would."""
        return True


for _kind in (set, bytes):  # of YAML, but of no row
    _Rows.add_representer(_kind, _Rows.represent_undefined)


def _text(where: str, values: dict[str, Any]) -> str:
    """Values as YAML, behind the line that says who wrote it."""
    try:
        _check(where, values)
        told = yaml.dump(values, Dumper=_Rows, sort_keys=False, allow_unicode=True, width=120) if values else ""
    except yaml.representer.RepresenterError as error:
        value = error.args[-1]
        raise ConfigError(
            f"{where}: must hold text, numbers, true, false, None, lists and dictionaries, got {value!r:.80} "
            f"({type(value).__name__})"
        ) from None
    except RecursionError:
        raise ConfigError(
            f"{where}: dictionaries or lists too deep inside each other, or one that holds itself"
        ) from None
    return HEADER + told


def _check(where: str, value: Any) -> None:
    """Raise ConfigError for what can be written, but not read again; the place is told by its keys."""
    if isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str | int | float):
                raise ConfigError(f"{where}: a key must be text or a number, got {shown(key)}")
            _check(where, key)
            _check(f"{where}, {key!s:.80}", one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check(where, one)
    elif isinstance(value, str) and is_half(value):
        raise ConfigError(f"{where}: half a surrogate pair is no text, got {shown(value)}")
