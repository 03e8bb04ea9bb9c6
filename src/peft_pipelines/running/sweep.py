"""Scratch that killed runs have left: found at the next start, and removed by whoever holds the claim of its folder."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.atomic import left_behind, sweep
from peft_pipelines.running import handed_on
from peft_pipelines.running.claims import CLAIM, Claims
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.dropped import remove_dropped, still_there

BEGINNING = 60
"""Seconds in which a run that has its folder writes its manifest there. A slower one makes the folder again."""


def sweep_unit(unit: Unit, catalog: DataCatalog, claims: Claims) -> None:
    """Remove what killed runs have left in the folders of a unit, unless another run holds it.

    That is scratch, folders of versions with nothing in them, weights that were being dropped, and claims of the dead;
    nothing else.
    """
    folders, roots = _folders(unit.nodes, catalog)
    mine = unit.folder(catalog)
    left = [*_left(folders), *_empty(roots), *_half_dropped(roots)]
    if not (left or (mine / CLAIM).exists()) or claims.take(mine):
        return
    try:
        sweep_folders(folders, claimed=True)
        _sweep_versions(roots)
        for checkpoint in _half_dropped(roots):
            remove_dropped(checkpoint)
    finally:
        claims.release(mine)


def sweep_report(nodes: Iterable[Node], catalog: DataCatalog) -> None:
    """Remove what killed runs have left beside the report, which must be claimed, and among the runs on record."""
    folders, roots = _folders(nodes, catalog)
    for scratch in [found for folder in sorted(folders) for found in left_behind(folder, claimed=True)]:
        sweep(scratch)
    _sweep_versions(roots)
    if names.RUNS in catalog:
        runs = Path(catalog.load(names.RUNS))
        sweep_folders([runs], claimed=False)
        for begun in _empty([runs]):
            with suppress(OSError):  # it has just begun after all, or another run was faster
                if time.time() - begun.stat().st_mtime > BEGINNING:
                    begun.rmdir()


def sweep_folders(folders: Iterable[Path], *, claimed: bool) -> None:
    """Remove scratch in folders and in all below them.

    Args:
        folders: where to look.
        claimed: whether nobody else can be writing there; else only what the dead of this machine have left goes.
    """
    for scratch in list(_left(folders, claimed=claimed)):
        sweep(scratch)


def _folders(nodes: Iterable[Node], catalog: DataCatalog) -> tuple[set[Path], list[Path]]:
    """The folders that hold what nodes make, and of these outputs that keep their versions the folders of these."""
    outputs = [name for node in nodes for name in node.outputs]
    roots = [Path(found._filepath) for name in outputs if handed_on.is_versioned(found := catalog.get(name))]
    return {path.parent for name in outputs if (path := place(catalog, name))}, roots


def _sweep_versions(roots: list[Path]) -> None:
    """Remove scratch in folders of versions, which must be claimed, and versions with nothing in them."""
    sweep_folders(roots, claimed=True)
    for version in _empty(roots):
        version.rmdir()


def _left(folders: Iterable[Path], *, claimed: bool = True) -> Iterator[Path]:
    for root in folders:
        for folder, inside, _ in os.walk(root):
            found = left_behind(Path(folder), claimed=claimed)
            gone = {path.name for path in found}
            inside[:] = [name for name in inside if name not in gone and not name.startswith("damaged")]
            yield from found


def _half_dropped(roots: Iterable[Path]) -> Iterator[Path]:
    """Checkpoints that say that their weights were dropped, and have some of them."""
    for root in roots:
        for note in root.glob(f"*/*/{names.DROPPED}"):
            with suppress(ConfigError):  # a damaged file, which is named elsewhere
                yield from [note.parent] if still_there(note.parent) else []


def _empty(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        yield from (path for path in root.glob("*") if path.is_dir() and not any(path.iterdir()))
