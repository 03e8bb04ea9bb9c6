"""Files of rows that a page sends, kept outside the project while the board is open, until a task is made of one."""

import json
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage.raw_files import ENDINGS
from peft_pipelines.storage.raw_reader import read_split

MOST_BYTES: Final = 512 * 2**20
"""Of a file."""
SHOWN: Final = 3
"""Rows that the page shows."""
LONGEST: Final = 300
"""Characters of a value that the page shows."""


@dataclass(frozen=True)
class Upload:
    """A file that was sent, its columns, the number of its rows, and the first of them as text."""

    path: Path
    columns: list[str]
    count: int
    rows: list[dict[str, str]]


class Uploads:
    """The folder of the files that were sent; it goes with the board."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="board-", ignore_cleanup_errors=True)

    def place(self, name: str) -> Path:
        """Return a new path for a file; of the name that the page gives only the ending is used.

        Raises:
            ConfigError: rows of this ending cannot be read.
        """
        ending = Path(name).suffix.lower()
        if ending not in ENDINGS:
            raise ConfigError(f"the file: must be one of {', '.join(sorted(ENDINGS))}, got '{name:.80}'")
        return Path(self._folder.name, f"{secrets.token_hex(8)}{ending}")

    def path(self, key: str) -> Path:
        """Return the path of a file by its key.

        Raises:
            ConfigError: there is none: the board was started again since.
        """
        known = {path.name: path for path in Path(self._folder.name).iterdir()}
        if key not in known:
            raise ConfigError("the file: is no longer here; choose it again")
        return known[key]


async def receive(body: AsyncIterator[bytes], path: Path) -> None:
    """Write what a page sends into a file.

    Raises:
        ConfigError: it is too large; then, and where the page goes away, nothing of it stays.
    """
    size = 0
    try:
        with path.open("wb") as file:
            async for part in body:  # to its end, else a browser would not read the answer
                size += len(part)
                if size <= MOST_BYTES:
                    file.write(part)
        if size > MOST_BYTES:
            raise ConfigError(f"the file: must be at most {MOST_BYTES >> 20} MiB; larger ones by kedro add-task")
    except BaseException:
        path.unlink()
        raise


def looked_at(path: Path, name: str) -> Upload:
    """Return what a file holds.

    Args:
        path: of the file.
        name: that the page gives, by which a mistake calls it.

    Raises:
        ConfigError: it cannot be read, or has no rows; then it is gone.
    """
    try:
        table = read_split([path])
        if not table.num_rows:
            raise ConfigError("the file: holds no rows")
    except ConfigError as error:
        path.unlink()
        raise ConfigError(str(error).replace(str(path), name).replace(path.name, name)) from None
    first = [{name: _text(value) for name, value in row.items()} for row in table.slice(0, SHOWN).to_pylist()]
    return Upload(path, table.column_names, table.num_rows, first)


def _text(value: Any) -> str:
    return f"{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str):.{LONGEST}}"
