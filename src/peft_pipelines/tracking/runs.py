"""The runs on record in a store: reading a run, and choosing one by its id."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from kedro.io import DataCatalog
from pydantic import BaseModel, ValidationError

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, replacing
from peft_pipelines.files.checksum import sha256
from peft_pipelines.files.status import Status
from peft_pipelines.tracking.order import in_order

MANIFEST, ROWS = "manifest.json", "rows.yml"


def runs_folder(catalog: DataCatalog) -> Path:
    """Return the folder of the manifests, as the catalog names it; the first run on record makes it."""
    dataset = catalog.get(names.RUNS)
    assert dataset
    return Path(dataset._describe()["filepath"])


class _Artifact(BaseModel, extra="allow"):
    sha256: dict[str, str]


class _Cell(BaseModel, extra="allow"):
    status: str
    artifacts: dict[str, _Artifact]
    numbers: dict[str, Any] = {}


class _Manifest(BaseModel, extra="allow"):
    """What is read of each manifest, whatever else is in it."""

    run_id: str
    status: str
    started: str
    rows_sha256: str
    cells: dict[str, _Cell]
    environment: dict[str, Any]
    modules_sha256: str


@dataclass(frozen=True)
class Run:
    """A run on record: its manifest, and the rows that it ran with."""

    folder: Path

    @property
    def id(self) -> str:
        """The run's time stamp, which is the version of all that it made."""
        return self.folder.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The content of ``manifest.json``.

        Raises:
            ConfigError: it is gone, cannot be read, or is not what a run writes.
        """
        try:
            return _Manifest.model_validate(read_json(self.folder / MANIFEST)).model_dump(exclude_unset=True)
        except (OSError, ValueError) as error:
            raise self._damaged(MANIFEST, error) from None

    @cached_property
    def rows(self) -> dict[str, Any]:
        """The run's own parameters, as they were configured then.

        Raises:
            ConfigError: the file is gone, or not the one of which the manifest has the hash.
        """
        path = self.folder / ROWS
        try:
            if sha256(path) != self.manifest["rows_sha256"]:
                raise self._damaged(ROWS, ValueError("it differs from its hash in the manifest"))
            found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise self._damaged(ROWS, error) from None
        return found

    def _damaged(self, file: str, error: Exception) -> ConfigError:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc'])) or 'content'}: {first['msg']}"
        else:
            reason = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
        return ConfigError(f"run '{self.id}': its {file} is damaged ({reason}), looked in '{self.folder}'")

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and its record is whole."""
        return bool(self.manifest["status"] != Status.RUNNING)

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """The record of each cell, by the cell's id."""
        found: dict[str, dict[str, Any]] = self.manifest["cells"]
        return found

    def predictions(self, cell: str) -> Path | None:
        """Return the path of the answers of a cell in this run, which later runs leave; None where there are none."""
        kept = self.cells[cell]["artifacts"].get(names.PREDICTIONS)
        return self.folder.parent / names.PREDICTIONS / f"{_only(kept['sha256'])}.jsonl" if kept else None


def _only(hashes: dict[str, str]) -> str:
    (found,) = hashes.values()
    return found


def keep(path: Path, digest: str, folder: Path) -> None:
    """Keep a cell's answers under their hash, by a second name of the same file where the disk allows it.

    Later runs replace the cell's file as a whole and never write into it, so this one stays as it is.
    """
    kept = folder / names.PREDICTIONS / f"{digest}.jsonl"
    if kept.exists():
        if path.samefile(kept) or sha256(kept) == digest:
            return
        damaged = kept.with_name(f"damaged-{kept.name}")
        os.replace(kept, damaged)
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, kept)
    except OSError:
        with replacing(kept) as fresh:
            shutil.copyfile(path, fresh)


def find(catalog: DataCatalog, run_id: str | None = None) -> Run:
    """Return a run by its id, or of those that have ended the one that began last.

    Raises:
        ConfigError: there is no such run in the store, or it has not ended: its record holds no number yet.
    """
    folder = runs_folder(catalog)
    known = in_order(folder, _on_record(folder))
    if run_id is not None:
        if run_id not in known and not any(path.parent.name == run_id for path in folder.glob(f"*/{ROWS}")):
            raise unknown("RUN_ID", "run", run_id, known)
        if not (run := Run(folder / run_id)).ended:
            raise ConfigError(
                f"RUN_ID: run '{run_id}' goes on or was killed, and has no number on record; "
                "what its cells have made is on record with the next `kedro run` that ends"
            )
        return run
    newest = next((run for name in reversed(known) if (run := Run(folder / name)).ended), None)
    if not newest:
        raise ConfigError("RUN_ID: no run is on record in this store; `kedro run` makes one")
    return newest


def _on_record(folder: Path) -> list[str]:
    """The runs with a manifest. A folder that cannot be read is an OSError, which ``glob`` would pass over."""
    with suppress(FileNotFoundError):
        return [name for name in os.listdir(folder) if (folder / name / MANIFEST).is_file()]
    return []


def chosen(run: Run, cells: tuple[str, ...]) -> list[str]:
    """Return the ids of the cells that are asked for, by default all of the run.

    Raises:
        ConfigError: the run has no such cell, or none at all.
    """
    if not run.cells:
        raise ConfigError(f"RUN_ID: run '{run.id}' has no cell on record (status: {run.manifest['status']})")
    for cell in cells:
        if cell not in run.cells:
            raise unknown("--cell", "cell", cell, run.cells)
    return [cell for cell in run.cells if not cells or cell in cells]
