"""Where the schemas of the configuration's files lie, and the line by which a file names its own."""

from pathlib import PurePath
from typing import Final

FOLDER: Final = ".schemas"
"""The folder of ``conf`` that holds them; hidden, since the other folders there are environments."""
GRID, ROWS, PARAMETERS = "grid.json", "rows.json", "parameters.json"
_BASE: Final = "base"


def schema_of(path: str) -> str:
    """Return the name of the schema of a file of ``conf``; empty for a file that has none.

    >>> [schema_of(path) for path in ("base/grid.yml", "base/parameters/tasks/glue.yml", "hub/parameters.yml")]
    ['grid.json', 'rows.json', 'parameters.json']
    """
    folder, name = PurePath(path).parts[0], PurePath(path).parts[1]
    kind = name.split(".")[0]
    if kind == "grid":
        return GRID
    if kind != "parameters":
        return ""
    return ROWS if folder == _BASE else PARAMETERS


def schema_line(path: str) -> str:
    """Return the first line of a file of ``conf``, by which editors find its schema; empty for a file that has none.

    Args:
        path: the file, from the folder ``conf``.

    >>> schema_line("base/parameters/tasks/glue.yml")
    '# yaml-language-server: $schema=../../../.schemas/rows.json\\n'
    """
    name, up = schema_of(path), "../" * (len(PurePath(path).parts) - 1)
    return f"# yaml-language-server: $schema={up}{FOLDER}/{name}\n" if name else ""
