"""What of a store is needed: the versions that runs on record or the state of a unit name, and the newest ones."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.running.state import State
from peft_pipelines.tracking.runs import MANIFEST, Run
from peft_pipelines.tracking.store_places import Place, Store


def on_record(folder: Path) -> list[Run]:
    """Return the runs of a store that have a manifest, whichever way they ended."""
    return [Run(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]


def named_by(runs: Iterable[Run]) -> dict[str, set[str]]:
    """Return the versions that runs rest on, by the name of the dataset.

    Raises:
        ConfigError: a manifest cannot be read: what it rests on is not known.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for cell_id, entry in run.cells.items():
            for kind, artifact in entry["artifacts"].items():
                found[names.artifact(Cell.of(cell_id), kind)].add(artifact.get("version"))
        for task, kinds in run.manifest.get("data", {}).items():
            found[names.adapted(task)].add(kinds.get("adapted", {}).get("version"))
        found[names.RESULTS].add(run.manifest.get("results", {}).get("version"))
    return found


def answers_of(runs: Iterable[Run]) -> set[str]:
    """Return the names of the files of kept answers that runs rest on."""
    return {path.name for run in runs for cell in run.cells if (path := run.predictions(cell))}


def current(place: Place, store: Store) -> set[str] | None:
    """Return the versions of a dataset that are loaded or made now: those in its unit's state, and the newest.

    None where the state cannot be read: then nobody knows.
    """
    versions = [path.name for path in versions_of(place)]
    newest = {max(versions)} if versions else set()
    if place.unit is None:
        return newest
    state = State(place.unit, store.folder(place.unit))
    if not state.readable:
        return None
    made = {state.versions().get(place.name), state.making.get(place.name)}
    return newest | {version for version in made if version}


def versions_of(place: Place) -> list[Path]:
    """Return the folders of a dataset's versions."""
    return [path for path in place.path.iterdir() if path.is_dir() and path.name[0].isdigit()]
