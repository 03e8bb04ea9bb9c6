"""A grid of Python as the files of an environment, so that the command line runs what Python has run."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from peft_pipelines.api.grid import Grid
from peft_pipelines.config import NAME_PATTERN
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.schema_files import schema_line
from peft_pipelines.config.spec import LONGEST_NAME
from peft_pipelines.config.yaml_tree import Dumper
from peft_pipelines.files.atomic import write_text

HEADER: Final = "# Written by peft_pipelines.run, which replaces it when it runs another grid in this environment.\n"
GRID: Final = "grid.yml"
ROWS: Final = "parameters.yml"
TAKEN: Final = ("base", "local")
"""Environments that hold for others too, or whose files are written by hand."""


def write_rows(grid: Grid, project: Path, env: str | None) -> None:
    """Write a grid and its rows into an environment's folder, as ``grid.yml`` and ``parameters.yml``.

    Their first line names their schema, for editors.

    Args:
        grid: the grid.
        project: the project's folder.
        env: the environment's name; its folder is made where it is missing.

    Raises:
        ConfigError: the name is none, files of the folder were not written from here, or a value is of no type that
            YAML has.
    """
    folder = project / "conf" / _checked(env)
    axes = grid.spec.model_dump(mode="json", exclude_defaults=True)
    texts = {GRID: _text("Grid", axes), ROWS: _text("rows", grid.rows)}
    schemas = {name: schema_line(f"{env}/{name}") for name in texts}
    for name, schema in schemas.items():
        path = folder / name
        if path.exists() and not path.read_text(encoding="utf-8").removeprefix(schema).startswith(HEADER):
            raise ConfigError(
                f"env: must be one whose {name} was written from Python, got '{env}'; choose another name, or leave "
                "the grid out to run this environment as it is"
            )
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        write_text(folder / name, schemas[name] + text)


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
        told = yaml.dump(values, Dumper=_Rows, sort_keys=False, allow_unicode=True, width=120) if values else ""
    except yaml.representer.RepresenterError as error:
        value = error.args[-1]
        raise ConfigError(
            f"{where}: must hold text, numbers, true, false, None, lists and dictionaries, got {value!r:.80} "
            f"({type(value).__name__})"
        ) from None
    return HEADER + told
