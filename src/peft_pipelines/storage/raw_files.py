"""The files of a folder of splits: which are rows, and of which split."""

import stat
from collections.abc import Iterable
from pathlib import Path

from peft_pipelines.config.errors import ConfigError

ENDINGS = {".parquet": (".parquet",), ".csv": (".csv",), ".jsonl": (".jsonl", ".json")}
"""The endings that a split may have, and those of the part files where it is a folder: Spark calls JSON lines .json."""
ONE_FILE = "train"
"""The split that a file is which stands alone."""


def split_files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each split of a folder, by name: one, or the part files of ``train.parquet/`` in their order.

    What has the name of a split itself, such as ``tickets.csv``, is the split ``train``.

    Names that begin with a point or an underscore, such as ``._train.csv`` and ``_SUCCESS``, are not rows.

    Raises:
        ConfigError: there is no split, one comes in two formats, or what has its name is neither a file nor a folder of
            part files.
    """
    if folder.suffix in ENDINGS:
        return {ONE_FILE: _files_of(folder)}
    if folder.is_file():
        raise ConfigError(f"raw rows: file '{folder}' has an ending that is not read. Allowed: {', '.join(ENDINGS)}")
    found = shown_splits(folder)
    if not found:
        endings = ", ".join(f"<split>{ending}" for ending in ENDINGS)
        raise ConfigError(f"raw rows: no rows in folder '{folder}', it must hold files named {endings}")
    names = [path.stem for path in found]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise ConfigError(f"raw rows: folder '{folder}' holds split '{double}' in two formats, keep one")
    return {path.stem: _files_of(path) for path in found}


def files_of_splits(folder: Path) -> list[Path]:
    """Return all files that the splits of a folder are read from."""
    return [path for files in split_files(folder).values() for path in files]


def shown_splits(folder: Path) -> list[Path]:
    """Return what has the name of a split in a folder, by name; nothing where the folder is not there."""
    if folder.suffix in ENDINGS:
        return [folder] if folder.exists() else []
    return [path for path in _entries(folder) if path.suffix in ENDINGS] if folder.is_dir() else []


def kind_of(path: Path) -> str:
    """Return ``file``, ``folder`` or ``other`` for what a path leads to.

    Raises:
        ConfigError: it leads nowhere: a link to itself or to nothing, or a folder that may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise unreadable(path, error) from None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def unreadable(path: Path, error: OSError) -> ConfigError:
    """Return the error for a file or folder that the system does not let us read."""
    link = " (a link)" if path.is_symlink() else ""
    return ConfigError(f"raw rows: '{path}'{link} cannot be read: {error.strerror or error}")


def _files_of(path: Path) -> list[Path]:
    kind = kind_of(path)
    if kind == "other":
        raise ConfigError(f"raw rows: '{path}' is neither a file nor a folder of part files")
    return [path] if kind == "file" else _parts(path)


def _parts(folder: Path) -> list[Path]:
    endings = ENDINGS[folder.suffix]
    parts, allowed = _entries(folder), f"Allowed: part files named *{', *'.join(endings)}"
    if not parts:
        raise ConfigError(f"raw rows: folder '{folder}' holds no rows. {allowed}")
    for part in parts:
        if part.suffix not in endings or kind_of(part) != "file":
            raise ConfigError(f"raw rows: folder '{folder}' holds '{part.name}', which is no part file. {allowed}")
    return parts


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(_visible(folder.iterdir()))
    except OSError as error:
        raise unreadable(folder, error) from None


def _visible(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if not path.name.startswith((".", "_"))]
