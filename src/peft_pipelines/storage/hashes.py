"""SHA-256 of the files of datasets."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset

from peft_pipelines.storage.splits import RowsFolder, split_files

CARD = "README.md"
"""The model card, text for people: it may be written again, so it is not hashed."""


def sha256(path: Path) -> str:
    """Return the hash of one file as hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hashes_of(path: Path, files: Iterable[Path] | None = None) -> dict[str, str]:
    """Return the hash of each file in a folder, its card left out, or of the one file, by the path inside ``path``.

    Empty where nothing is there.
    """
    return {name: sha256(part) for name, part in _inside(path, files).items()}


def file_hashes(dataset: Any) -> dict[str, str]:
    """Return the hashes of the files that a dataset would load; empty for what is not on disk."""
    return {name: sha256(path) for name, path in files_of(dataset).items()}


def files_of(dataset: Any) -> dict[str, Path]:
    """Return the files that a dataset would load, by the path inside it; empty for what is not on disk."""
    if not isinstance(dataset, AbstractVersionedDataset) or not dataset.exists():
        return {}
    path = Path(dataset._get_load_path())
    return _inside(path, split_files(path) if isinstance(dataset, RowsFolder) else None)


def _inside(path: Path, files: Iterable[Path] | None) -> dict[str, Path]:
    if path.is_file():
        return {path.name: path}
    files = path.rglob("*") if files is None else files
    return {part.relative_to(path).as_posix(): part for part in sorted(files) if part.is_file() and part.name != CARD}
