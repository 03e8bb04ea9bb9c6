"""The removal of what nobody needs. A process that dies meanwhile leaves nothing half: what is left is found again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from peft_pipelines.files import names
from peft_pipelines.files.atomic import remove_folder, sweep
from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running.claims import Claims
from peft_pipelines.running.units import Unit
from peft_pipelines.tracking.clean import LEFT, Item, Wanted, found
from peft_pipelines.tracking.store_places import Store
from peft_pipelines.tracking.watch import Watch

REPORT = "report"
_NAME = "kedro clean"


@dataclass(frozen=True)
class Cleaned:
    """What was removed, and why the rest was not: in words, by the title of a cell, a task or the report."""

    removed: list[Item]
    spared: dict[str, str]


def clean(store: Store, wanted: Wanted) -> Cleaned:
    """Remove what nobody needs, as it is found under the claims; what a run holds is spared.

    A record goes before the versions that it names, so that a run on record never lacks what it rests on. While a run
    is under way tasks' data, results and records stay: it may read them.

    Raises:
        ConfigError: the manifest of a run cannot be read.
    """
    units = list(dict.fromkeys(item.unit for item in found(store, wanted)))
    spared: dict[str, str] = {}
    with _claimed(store, units, spared) as mine:
        if runs := [str(run.sign) for run in Watch(store.runs).look()[0] if not run.dead]:
            for unit in [unit for unit in mine if not _is_cell(unit)]:
                spared[_title(unit)] = f"{runs[0]} is under way"
        if REPORT in spared:  # the records stay, and what they rest on with them
            wanted = replace(wanted, keep_last=None)
        items = [item for item in found(store, wanted) if item.unit in mine and _title(item.unit) not in spared]
        for item in items:
            _remove(item)
    return Cleaned(items, spared)


@contextmanager
def _claimed(store: Store, units: list[Unit | None], spared: dict[str, str]) -> Iterator[list[Unit | None]]:
    """Yield the units that could be claimed; note who holds the others."""
    claims, mine, made = Claims(_NAME), [], []
    try:
        for unit in units:
            folder = store.folder(unit)
            made += [] if folder.exists() else [folder]
            holder: Holder | None = claims.take(folder)
            if holder:
                spared[_title(unit)] = f"held by {holder}"
            else:
                mine.append(unit)
        yield mine
    finally:
        claims.close()
        for folder in made:
            with suppress(OSError):  # it is not empty any more
                folder.rmdir()


def _remove(item: Item) -> None:
    if item.kind == LEFT and item.path.name.startswith("."):
        sweep(item.path)
    elif item.path.is_dir() and not item.path.is_symlink():
        remove_folder(item.path)
    else:
        item.path.unlink(missing_ok=True)


def _is_cell(unit: Unit | None) -> bool:
    return unit is not None and unit.tag.startswith(names.CELL)


def _title(unit: Unit | None) -> str:
    return unit.title if unit else REPORT


def shown(path: Path, project: Path) -> str:
    """Return a path from the project's folder, or as a whole where it lies elsewhere."""
    return str(path.relative_to(project) if path.is_relative_to(project) else path)
