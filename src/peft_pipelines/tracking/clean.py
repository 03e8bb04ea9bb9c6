"""What of a store nobody needs any more: found, listed and removed, each under the claim of whoever could make it."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.atomic import left_behind
from peft_pipelines.running.progress_file import PROGRESS, read
from peft_pipelines.running.state import FAILURE, LOG
from peft_pipelines.running.units import Unit
from peft_pipelines.tracking.needed import answers_of, current, named_by, on_record, versions_of
from peft_pipelines.tracking.order import in_order
from peft_pipelines.tracking.runs import MANIFEST, Run
from peft_pipelines.tracking.store_places import Place, Store

RUNS, VERSIONS, STATES, FAILED, DAMAGED, LEFT = KINDS = (
    "runs",
    "versions",
    "states",
    "failed",
    "damaged",
    "leftovers",
)
WORDS: Final = {
    RUNS: "records of older runs",
    VERSIONS: "versions that no run on record rests on",
    STATES: "states from which a killed training would go on",
    FAILED: "records of failed cells",
    DAMAGED: "damaged files that were put aside",
    LEFT: "what killed runs have left",
}
"""What is removed of each kind, in the order in which it is removed: a version only when no record names it."""
DAY: Final = 86_400


@dataclass(frozen=True)
class Item:
    """What nobody needs: of which kind, where, the bytes that go with it, and the unit whose claim it needs."""

    kind: str
    path: Path
    bytes: int
    unit: Unit | None


@dataclass(frozen=True)
class Wanted:
    """What is to be found: the kinds, how many of the last runs stay on record (None for all), and the least age.

    Raises:
        ConfigError: a number of runs is to stay, and the kinds are without them.
    """

    kinds: tuple[str, ...] = KINDS
    keep_last: int | None = None
    older_than: int | None = None

    def __post_init__(self) -> None:
        if self.keep_last is not None and RUNS not in self.kinds:
            raise ConfigError(f"--keep-last: is for the kind '{RUNS}', got --only {','.join(self.kinds)}")


def found(store: Store, wanted: Wanted) -> list[Item]:
    """Return what nobody needs, in the order in which it is to be removed.

    Raises:
        ConfigError: the manifest of a run cannot be read, so that nobody knows what it rests on.
    """
    runs = on_record(store.runs)
    dropped = _dropped(runs, store, wanted)
    kept = [run for run in runs if run not in dropped]
    places = list(store.places())
    listed = [
        *((RUNS, run.folder, None) for run in dropped),
        *_versions(places, kept, store),
        *((STATES, place.path, place.unit) for place in places if place.name.endswith(names.WORKSPACE)),
        *_failed(places),
        *_damaged(places, store),
        *_leftovers(places, kept, store),
    ]
    unique = {path: (kind, path, unit) for kind, path, unit in listed if kind in wanted.kinds}.values()
    order = {kind: number for number, kind in enumerate(KINDS)}
    least = None if wanted.older_than is None else wanted.older_than * DAY
    items = sorted(unique, key=lambda one: order[one[0]])
    return [item for kind, path, unit in items for item in _item(kind, path, unit, least)]


def _item(kind: str, path: Path, unit: Unit | None, least: float | None) -> Iterator[Item]:
    """What can be removed, where it is so many seconds old; nothing where a run is changing it."""
    with suppress(FileNotFoundError):
        if least is None or _age(path) >= least:
            yield Item(kind, path, bytes_of(path), unit)


def _dropped(runs: list[Run], store: Store, wanted: Wanted) -> list[Run]:
    """The runs that have ended and do not stay on record. Their age is that of their record."""
    if wanted.keep_last is None:
        return []
    ended = {run.id: run for run in runs if run.ended}
    order = in_order(store.runs, ended)
    older = [ended[run_id] for run_id in order[: max(0, len(order) - wanted.keep_last)]]
    least = (wanted.older_than or 0) * DAY
    return [run for run in older if _age(run.folder / MANIFEST) >= least]


def _versions(places: Iterable[Place], kept: Iterable[Run], store: Store) -> Iterator[tuple[str, Path, Unit | None]]:
    rested_on = named_by(kept)
    for place in places:
        if place.versioned and place.path.is_dir() and (now := current(place, store)) is not None:
            needed = rested_on[place.name] | now
            yield from ((VERSIONS, path, place.unit) for path in versions_of(place) if path.name not in needed)


def _failed(places: Iterable[Place]) -> Iterator[tuple[str, Path, Unit | None]]:
    for folder, unit in _folders(places):
        if unit and unit.tag.startswith(names.CELL):
            yield from ((FAILED, folder / name, unit) for name in (FAILURE, LOG) if (folder / name).is_file())


def _damaged(places: Iterable[Place], store: Store) -> Iterator[tuple[str, Path, Unit | None]]:
    answers = [(store.runs / names.PREDICTIONS, None)] if (store.runs / names.PREDICTIONS).is_dir() else []
    for folder, unit in [*_folders(places), *answers, (store.report, None)]:
        if folder.is_dir():
            yield from ((DAMAGED, path, unit) for path in sorted(folder.glob("damaged*")))


def _leftovers(places: Iterable[Place], kept: Iterable[Run], store: Store) -> Iterator[tuple[str, Path, Unit | None]]:
    """Scratch and claims of the dead, signs of life of dead runs, and kept answers that no run rests on."""
    for folder, unit in _folders(places):
        yield from ((LEFT, path, unit) for path in left_behind(folder))
    for path in sorted(store.runs.glob(f"*/{PROGRESS}")):
        with suppress(ValueError):  # a damaged one stays for who looks at it
            if (sign := read(path.parent)) and sign[0].dead(sign[1]):
                yield LEFT, path, None
    answers = answers_of(kept)
    for path in sorted((store.runs / names.PREDICTIONS).glob("[!.]*.jsonl")):
        if path.name not in answers and not path.name.startswith("damaged"):
            yield LEFT, path, None


def bytes_of(path: Path) -> int:
    """Return the bytes that are free once a file or folder is gone: a file with a second name elsewhere frees none."""
    inside = [path, *path.rglob("*")] if path.is_dir() else [path]
    facts = [os.lstat(part) for part in inside if not part.is_dir() or part.is_symlink()]
    return sum(fact.st_size for fact in facts if fact.st_nlink == 1)


def _age(path: Path) -> float:
    return time.time() - path.lstat().st_mtime


def _folders(places: Iterable[Place]) -> list[tuple[Path, Unit | None]]:
    """The folders around datasets, each once, with the unit that makes what is in it."""
    return list({place.path.parent: (place.path.parent, place.unit) for place in places}.values())
