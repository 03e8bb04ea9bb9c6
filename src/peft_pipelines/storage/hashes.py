"""SHA-256 of the files of datasets and of models."""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.io import AbstractVersionedDataset

from peft_pipelines.files import names
from peft_pipelines.files.checksum import sha256
from peft_pipelines.files.user_cache import recall, remember
from peft_pipelines.storage.raw_files import files_of_splits
from peft_pipelines.storage.splits import RowsFolder

SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time of change is trusted."""
MEMORY = "hashes.json"
"""The file of the user's cache folder that keeps hashes."""

CARD = "README.md"
"""The model card, text for people: it may be written again, so it is not hashed."""
BESIDE = (CARD, names.DROPPED)
"""Files of a checkpoint that are written after it."""


def cached_sha256(path: Path) -> str:
    """Return the hash of a large file, computed once: it is remembered for its path, size, times of change and inode.

    The inode's time of change cannot be set: a file that is changed and given its old time is read again.

    The memory is a file of the user's cache folder, without which it is computed each time. It holds no paths, only
    their hashes. A file that changed in the last seconds is not remembered: the next change may have the same time.
    """
    facts = path.stat()
    version = f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns} {facts.st_ino}"
    key = hashlib.sha256(version.encode()).hexdigest()
    if known := recall(MEMORY, key):
        return known
    found = sha256(path)
    if time.time_ns() - facts.st_mtime_ns > SETTLED:
        remember(MEMORY, key, found)
    return found


def hashes_of(path: Path, files: Iterable[Path] | None = None) -> dict[str, str]:
    """Return the hash of each file in a folder, or of the one file, by the path inside ``path``; none of ``BESIDE``.

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
    return _inside(path, files_of_splits(path) if isinstance(dataset, RowsFolder) else None)


def _inside(path: Path, files: Iterable[Path] | None) -> dict[str, Path]:
    if path.is_file():
        return {path.name: path}
    files = path.rglob("*") if files is None else files
    kept = (part for part in sorted(files) if part.is_file() and part.name not in BESIDE)
    return {part.relative_to(path).as_posix(): part for part in kept}
