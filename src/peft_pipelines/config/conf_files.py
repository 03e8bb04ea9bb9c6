"""The files of a folder of configuration: which there are, and what none of them may be."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePath

from fsspec.utils import glob_translate

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.strict_yaml import LONGEST

SUFFIXES, JSON = (".yml", ".yaml"), ".json"


def paths_of(folder: Path, shown: str) -> Iterator[Path]:
    """Yield the YAML and JSON files of a folder and of the folders in it, but for hidden ones, in their order.

    Args:
        folder: a folder of ``conf``.
        shown: how errors call it.

    Raises:
        ConfigError: what has the name of a YAML file is none, or a link leads to a folder around it.
    """
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [*folders, *sorted(files)]:
            path = Path(place, name)
            where = f"{shown}/{path.relative_to(folder)}"
            if name in folders:
                _check_folder(path, where)
            if path.suffix in (*SUFFIXES, JSON) and not name.startswith("."):
                _check_file(path, where)
                yield path


def _refuse(error: OSError) -> None:
    raise ConfigError(f"'{error.filename}': the folder cannot be read: {error.strerror}")


def _check_folder(path: Path, where: str) -> None:
    if path.is_symlink() and path.resolve() in path.absolute().parent.resolve().joinpath("_").parents:
        raise ConfigError(f"{where}: a link to a folder that it stands in, '{path.resolve()}'; no such link is allowed")


def _check_file(path: Path, where: str) -> None:
    if not path.is_file():
        kinds = {"a folder": path.is_dir(), "a link to nothing": path.is_symlink()}
        kind = next((kind for kind, holds in kinds.items() if holds), "no regular file")
        raise ConfigError(f"{where}: must be a file, got {kind}")


def read_bytes(path: Path, where: str) -> bytes:
    """Return the content of a file, as far as one may be long.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(LONGEST + 1)
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read: {error.strerror}") from None


def check_name(where: str, known: Sequence[str]) -> None:
    """Raise ConfigError for a file that nothing reads, but whose name is nearly one that is read.

    Args:
        where: the path, below the folder of an environment's name.
        known: the first parts of the names that are read.
    """
    path = Path(where)
    stem = path.relative_to(path.parts[0]).parts[-1].split(".")[0]
    if close := get_close_matches(stem, known, n=1, cutoff=0.8):
        names = ", ".join(f"{name}*.yml" for name in known)
        raise ConfigError(f"{where}: is read by nothing, did you mean '{close[0]}{path.suffix}'? Read are: {names}")


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(glob_translate(pattern))


def matches(path: PurePath, patterns: Iterable[str]) -> bool:
    """Return whether patterns of ``config_patterns`` find a file, by its path in an environment's folder."""
    return any(_pattern(pattern).match(path.as_posix()) for pattern in patterns)
