"""Hashes of files, remembered by size, times and inode, so that a file that nobody has touched is not read again."""

from pathlib import Path
from typing import Any

from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.files.checksum import sha256

CHECKED = "checked.json"


class Remembered:
    """The hashes of the files of a unit. The file that keeps them may be lost: then all are read again.

    The time of change of the inode is part of what a hash is remembered by: it cannot be set, so a file that is written
    and given its old times is read again.

    Args:
        path: the file that keeps the hashes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._used: dict[str, list[Any]] = {}

    def sha256(self, name: str, path: Path) -> str:
        """Return the hash of a file; it is read only where it is not as it was when it was last read.

        Args:
            name: what the file is called here; a copy of the whole store has the same names.
            path: where it is.
        """
        facts = path.stat()
        key = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
        known = self._known.get(name)
        if not known or known[1:] != key:
            known = [sha256(path), *key]
        self._used[name] = known
        return str(known[0])

    def keep(self) -> None:
        """Write the hashes that were asked for, where they are not on disk yet."""
        if self._used != self._known:
            write_json(self._path, self._used)
            self._known = dict(self._used)


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    sound = isinstance(found, dict) and all(isinstance(value, list) and value for value in found.values())
    return found if sound else {}
