"""SHA-256 of what lies on disk, file by file."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset

from peft_pipelines.storage.splits import RowsFolder, split_files

CARD = "README.md"
"""Text for people beside the files; it may be written again and proves nothing."""


def sha256(path: Path) -> str:
    """The hash of one file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hashes_of(path: Path, files: Iterable[Path] | None = None) -> dict[str, str]:
    """The hash of each file in a folder, its card left out, or of the one file, by the path inside ``path``.

    Empty where nothing is there.
    """
    if path.is_file():
        return {path.name: sha256(path)}
    found = path.rglob("*") if files is None else files
    return {
        part.relative_to(path).as_posix(): sha256(part)
        for part in sorted(found)
        if part.is_file() and part.name != CARD
    }


def file_hashes(dataset: Any) -> dict[str, str]:
    """The hashes of what a dataset would load; empty for what is not on disk."""
    if not isinstance(dataset, AbstractVersionedDataset) or not dataset.exists():
        return {}
    path = Path(dataset._get_load_path())
    return hashes_of(path, split_files(path) if isinstance(dataset, RowsFolder) else None)
