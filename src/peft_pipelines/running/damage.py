"""Damage: what a unit has on record is compared with the disk; what differs is put aside, never removed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.running import handed_on
from peft_pipelines.storage.dropped import dropped_from
from peft_pipelines.storage.remembered import Remembered

GONE, DIFFERS = "is gone", "differs from the record"


@dataclass(frozen=True)
class Damage:
    """A file that is not as it was made.

    Args:
        dataset: the dataset that it belongs to; empty for a record of the run itself.
        file: its path inside the dataset.
        problem: what is wrong, in words that follow its name.
        path: what is put aside: a file, a folder, or the folder of one version.
        root: the folder in which it is put aside, under the same name.
    """

    dataset: str
    file: str
    problem: str
    path: Path
    root: Path

    @property
    def line(self) -> str:
        """The damage in words: ``metrics.json differs from the record``."""
        return f"{self.file} {self.problem}"

    def put_aside(self, run_id: str | None) -> Path | None:
        """Move it into the run's own folder beside it, and return its new path; None where nothing is left."""
        if not os.path.lexists(self.path):
            return None
        aside = self.root / "-".join(filter(None, ("damaged", run_id))) / self.path.relative_to(self.root)
        aside.parent.mkdir(parents=True, exist_ok=True)
        free = next(path for path in _numbered(aside) if not os.path.lexists(path))
        os.replace(self.path, free)
        return free


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    number = 1
    while number := number + 1:
        yield path.with_name(f"{path.name}.{number}")


def unreadable(path: Path, error: Exception) -> Damage:
    """Return the damage of a record that cannot be read."""
    reason = " ".join(str(error).split()).removeprefix(path.name).lstrip(",: ")
    return Damage("", path.name, f"cannot be read ({reason:.120})", path, path.parent)


def damaged(
    catalog: DataCatalog,
    name: str,
    version: str | None,
    hashes: Mapping[str, str],
    remembered: Remembered,
) -> Damage | None:
    """Return the first file of a dataset that is not as recorded, or None.

    A dataset of which the run asks for another version by name is not looked at. Weights that were dropped are no
    damage.

    Args:
        catalog: says where the dataset is.
        name: the dataset.
        version: the version on record.
        hashes: the recorded hash of each of its files.
        remembered: the hashes that need not be computed again.
    """
    dataset = catalog.get(name)
    if not isinstance(dataset, AbstractVersionedDataset) or handed_on.asked_for(dataset):
        return None
    root = Path(dataset._filepath)
    path = Path(dataset._get_versioned_path(version)) if version else root
    aside = path.parent if version else path
    try:
        stub = dropped_from(path)
    except ConfigError as error:
        return replace(unreadable(path / names.DROPPED, error), dataset=name, path=aside, root=root.parent)
    dropped = {file: one.sha256 for file, one in stub.files.items()} if stub else {}
    for file, digest in hashes.items():
        if dropped.get(file) == digest:
            continue
        part = path / file if path.is_dir() or file != path.name else path
        try:
            problem = "" if remembered.sha256(f"{name}/{file}", part) == digest else DIFFERS
        except FileNotFoundError:
            problem = GONE
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        if problem:
            return Damage(name, file, problem, aside, root.parent)
    return None
