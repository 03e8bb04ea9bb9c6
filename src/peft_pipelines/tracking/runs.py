"""The runs on record in a store: reading a run, and choosing one by its id."""

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json
from peft_pipelines.files.status import Status

MANIFEST, ROWS = "manifest.json", "rows.yml"


def runs_folder(catalog: DataCatalog) -> Path:
    """Return the folder of the manifests, as the catalog names it."""
    folder: Path = catalog.load(names.RUNS)
    return folder


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
        """The content of ``manifest.json``."""
        found: dict[str, Any] = read_json(self.folder / MANIFEST)
        return found

    @cached_property
    def rows(self) -> dict[str, Any]:
        """The run's own parameters, as they were configured then."""
        found: dict[str, Any] = yaml.safe_load((self.folder / ROWS).read_text(encoding="utf-8"))
        return found

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
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, kept)
    except OSError:
        shutil.copyfile(path, kept)


def find(catalog: DataCatalog, run_id: str | None = None) -> Run:
    """Return a run by its id, or the newest that has ended.

    Raises:
        ConfigError: there is no such run in the store, or it has not ended: its record holds no number yet.
    """
    folder = runs_folder(catalog)
    known = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    if run_id is not None:
        if run_id not in known:
            raise unknown("RUN_ID", "run", run_id, known)
        if not (run := Run(folder / run_id)).ended:
            raise ConfigError(
                f"RUN_ID: run '{run_id}' goes on or was killed, and has no number on record; "
                "what its cells have made is on record with the next `kedro run` that ends"
            )
        return run
    ended = [run for name in known if (run := Run(folder / name)).ended]
    if not ended:
        raise ConfigError("RUN_ID: no run is on record in this store; `kedro run` makes one")
    return ended[-1]


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
