"""What a machine has worked out once and can work out again: small facts in files of the user's cache folder."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from peft_pipelines.files.atomic import read_json, write_json

REMEMBERED = 1000
"""Facts a file, the newest; a lost one is only worked out again."""


def worked_out(file: str, key: str, make: Callable[[], str]) -> str:
    """Return a fact: the one that is kept, else the one that is made now, which is kept from then on.

    Args:
        file: as in ``recall``.
        key: likewise.
        make: works the fact out.
    """
    if known := recall(file, key):
        return known
    found = make()
    remember(file, key, found)
    return found


def recall(file: str, key: str) -> str | None:
    """Return a fact; None where it is not known, or its file cannot be read.

    Args:
        file: the name of the file that keeps facts of its kind.
        key: what the fact is of: a hash, so that the file names no path.
    """
    return _known(_place(file)).get(key)


def remember(file: str, key: str, fact: str) -> None:
    """Keep a fact, where the folder can be written."""
    place = _place(file)
    newest = {**dict(list(_known(place).items())[1 - REMEMBERED :]), key: fact}
    with suppress(OSError):
        write_json(place, newest)


def _known(place: Path) -> dict[str, str]:
    try:
        found = read_json(place)
    except (OSError, ValueError):
        return {}
    whole = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if whole else {}


def cache_folder() -> Path:
    """Return the user's folder for what this package can make or download again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peft_pipelines"


def _place(file: str) -> Path:
    return cache_folder() / file
