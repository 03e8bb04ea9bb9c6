"""Checks of a run's record against the disk: each file by its hash, each score by scoring the kept answers again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog, DatasetError

from peft_pipelines.config import Cell, ModelSpec, TaskSpec, parse
from peft_pipelines.evaluation.score import bounds, task_scores
from peft_pipelines.files import names
from peft_pipelines.files.checksum import sha256
from peft_pipelines.files.status import Status
from peft_pipelines.models.folder import folder_of
from peft_pipelines.running.state import STATE, State, recorded_versions
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.artifact import FORMATS
from peft_pipelines.storage.dropped import dropped_hashes
from peft_pipelines.storage.hashes import hashes_of
from peft_pipelines.tracking.origins import DATA
from peft_pipelines.tracking.recorded_numbers import same, written
from peft_pipelines.tracking.runs import ROWS, Run

CURRENT = tuple(kind for kind in names.KINDS if kind != names.CHECKPOINT)


@dataclass(frozen=True)
class Mismatch:
    """A file or number that differs from the record: its name, and ``missing``, ``differs`` or both numbers."""

    subject: str
    problem: str


def verify(run: Run, catalog: DataCatalog) -> tuple[list[Mismatch], int]:
    """Return what differs from the run's record or is missing, and how many checks were made.

    Weights are found, and kept answers scored, by the run's rows: where these are not as on record, both are left out.

    Args:
        run: the run on record.
        catalog: where its store, raw rows and models are now.
    """
    rows = _rows(run)
    checks = [rows, *_data(run, catalog), *_results(run, catalog)]
    for cell in run.cells:
        checks += _cell(run, cell, catalog)
    if not rows[1]:
        checks += _weights(run, catalog)
        checks += [check for cell in run.cells for check in _scores(run, cell)]
    return [Mismatch(subject, problem) for subject, problem in checks if problem], len(checks)


def without_weights(run: Run, catalog: DataCatalog) -> list[str]:
    """Return the cells whose checkpoints of this run have no weights any more, since their rows do not keep them.

    ``verify`` does not look for these.
    """
    found = []
    for cell_id, entry in run.cells.items():
        recorded = entry["artifacts"].get(names.CHECKPOINT)
        if recorded:
            folder = _version(place(catalog, names.artifact(Cell.of(cell_id), names.CHECKPOINT)), recorded)
            found += [cell_id] if dropped_hashes(folder).items() & recorded["sha256"].items() else []
    return found


Check = tuple[str, str]
"""A file or number, and its problem; an empty text where there is none."""


def _rows(run: Run) -> Check:
    path = run.folder / ROWS
    error = "missing" if not path.is_file() else "differs" * (sha256(path) != run.manifest["rows_sha256"])
    return f"rows of run {run.id}", error


def _weights(run: Run, catalog: DataCatalog) -> Iterator[Check]:
    for name, recorded in run.manifest.get("models", {}).items():
        spec = parse(ModelSpec, f"model '{name}'", run.rows["models"][name])
        folder = folder_of(spec, catalog.load(names.weights(name)))
        found = hashes_of(folder, folder.glob("*.safetensors"))
        yield from _files(f"weights of {name}", recorded["sha256"], found)


def _data(run: Run, catalog: DataCatalog) -> Iterator[Check]:
    for task, kinds in run.manifest.get("data", {}).items():
        for kind, recorded in kinds.items():
            if kind == "prompts" and not _newest(run, catalog, task):
                continue  # a later run has written its own
            folder = _version(place(catalog, DATA[kind](task)), recorded)
            yield from _files(f"{kind} rows of {task}", recorded["sha256"], hashes_of(folder))


def _results(run: Run, catalog: DataCatalog) -> Iterator[Check]:
    recorded = run.manifest.get("results", {})
    if recorded.get("version") is not None:
        folder = _version(place(catalog, names.RESULTS), recorded)
        yield from _files("results", recorded["sha256"], hashes_of(folder))


def _newest(run: Run, catalog: DataCatalog, task: str) -> bool:
    """Whether the task's adapted rows were not adapted anew since."""
    name, adapted = names.adapted(task), run.manifest["data"][task]["adapted"].get("version")
    made = recorded_versions(catalog, Unit(names.data_tag(task), ()))
    if name not in made and (folder := place(catalog, name)):  # Kedro's own runner leaves no record
        made = {name: max((path.name for path in folder.glob("*") if path.is_dir()), default=adapted)}
    return bool(made.get(name) == adapted)


def _version(path: Path | None, recorded: Mapping[str, Any]) -> Path:
    """Where an artifact lies: a versioned one in the version on record."""
    assert path is not None
    return path / recorded["version"] / path.name if "version" in recorded else path


def _cell(run: Run, cell_id: str, catalog: DataCatalog) -> Iterator[Check]:
    cell, entry = Cell.of(cell_id), run.cells[cell_id]
    artifacts, unchanged = entry["artifacts"], _stands(run, cell_id, catalog)
    for kind, recorded in artifacts.items():
        if kind in CURRENT and not unchanged:
            continue  # overwritten by a later run, as it may be
        path = _version(place(catalog, names.artifact(cell, kind)), recorded)
        gone = dropped_hashes(path)
        hashes = {name: digest for name, digest in recorded["sha256"].items() if gone.get(name) != digest}
        yield from _files(f"{kind} of {cell_id}", hashes, hashes_of(path))
    kept = run.predictions(cell_id)
    if kept is not None:
        problem = "missing" if not kept.is_file() else "differs" * (sha256(kept) != kept.stem)
        yield f"kept answers of {cell_id}", problem


def _stands(run: Run, cell_id: str, catalog: DataCatalog) -> bool:
    """Whether the cell's files are still those of this run: no later one has made, or tried, the cell anew."""
    unit = Unit(names.cell_tag(cell_id), ())
    folder = unit.folder(catalog)
    if not (folder / STATE).is_file():  # Kedro's own runner leaves none
        return _made_by(run, cell_id, catalog)
    nodes = State(unit, folder).nodes.values()
    made = {name: found for node in nodes for name, found in node["sha256"].items()}
    recorded = run.cells[cell_id]["artifacts"].get(names.METRICS, {}).get("sha256")
    return bool(made.get(names.artifact(Cell.of(cell_id), names.METRICS)) == recorded)


def _made_by(run: Run, cell_id: str, catalog: DataCatalog) -> bool:
    """Whether the cell's numbers name this run, or cannot be read."""
    try:
        numbers = catalog.load(names.artifact(Cell.of(cell_id), names.METRICS)) or {}
    except DatasetError:
        return True
    recorded = run.cells[cell_id].get("run_id")
    return bool(numbers.get("run_id", recorded) == recorded)


def _files(what: str, recorded: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Check]:
    for name, digest in recorded.items():
        yield f"{what}: {name}", "missing" if name not in found else "differs" * (found[name] != digest)


def _scores(run: Run, cell_id: str) -> Iterator[Check]:
    """Score the kept answers again by the run's own row of the task."""
    entry, kept = run.cells[cell_id], run.predictions(cell_id)
    if entry["status"] != Status.DONE or kept is None or not kept.is_file():
        return
    name = Cell.of(cell_id).task
    task = parse(TaskSpec, f"task '{name}'", run.rows["tasks"][name])
    try:
        rows = FORMATS[kept.suffix].read(kept)
        scores = task_scores(rows, task) | bounds(rows, task)
    except (ValueError, KeyError, TypeError) as failed:
        yield f"scores of {cell_id}", f"cannot be scored: {failed}"
        return
    for metric, value in scores.items():
        recorded = entry["numbers"].get(metric)
        error = "" if same(value, recorded) else f"is {written(value)} now, {written(recorded)} on record"
        yield f"{metric} of {cell_id}", error
