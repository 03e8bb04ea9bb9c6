"""Weights that are not kept: removed once their cell is scored, with a small file in their place that says so.

That file is written first, and the weights go after it. So a process that dies at any moment leaves a checkpoint that
is whole, or one that says what it lacks; ``remove_dropped`` does what is left to do.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from peft_pipelines.config import parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, write_json

TENSORS = ".safetensors"


class DroppedFile(BaseModel, frozen=True):
    """A file of weights as it was: its size, and its SHA-256."""

    bytes: int
    sha256: str


class Dropped(BaseModel, frozen=True):
    """The content of ``dropped.json``: when and why weights went, how to get them again, and which they were.

    ``files`` has their paths in the checkpoint's folder.
    """

    dropped: str
    because: str
    again: str
    files: dict[str, DroppedFile]

    @property
    def line(self) -> str:
        """What is missing, why, and how to have it again, in words that follow the checkpoint's name."""
        return f"its weights were dropped on {self.dropped} ({self.because}); to have them again: {self.again}"


def dropped_from(folder: Path) -> Dropped | None:
    """Return what a checkpoint's folder says of weights that were dropped; None where nothing was.

    Raises:
        ConfigError: the file that says it cannot be read, or holds something else.
    """
    path = folder / names.DROPPED
    if not path.is_file():
        return None
    try:
        content = read_json(path)
    except ValueError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    return parse(Dropped, path.name, content)


def dropped_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that were dropped from a folder; empty where none were, or it is damaged."""
    with suppress(ConfigError):
        found = dropped_from(folder)
        return {name: file.sha256 for name, file in found.files.items()} if found else {}
    return {}


def weights_of(folder: Path) -> dict[str, Path]:
    """Return the files of weights in a checkpoint's folder, by their paths inside it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob(f"*{TENSORS}"))}


def drop(folder: Path, hashes: Mapping[str, str], note: Mapping[str, str]) -> None:
    """Remove the weights of a checkpoint for good; what was not saved with it, such as a person's file, stays.

    Args:
        folder: the checkpoint's.
        hashes: the SHA-256 of each of its files.
        note: the fields ``dropped``, ``because`` and ``again`` of ``Dropped``.
    """
    if dropped_from(folder) is None:
        files = {
            name: DroppedFile(bytes=path.stat().st_size, sha256=hashes[name])
            for name, path in weights_of(folder).items()
            if name in hashes
        }
        write_json(folder / names.DROPPED, Dropped(files=files, **note).model_dump())
    remove_dropped(folder)


def still_there(folder: Path) -> list[Path]:
    """Return the files of a folder that its ``dropped.json`` names, and that nobody has removed yet."""
    found = dropped_from(folder)
    return [path for name, path in weights_of(folder).items() if name in found.files] if found else []


def remove_dropped(folder: Path) -> None:
    """Remove what ``dropped.json`` names of a folder's weights."""
    for path in still_there(folder):
        path.unlink(missing_ok=True)
