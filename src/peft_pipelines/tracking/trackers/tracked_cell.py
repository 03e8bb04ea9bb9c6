"""What trackers are told of a cell: its rows as it begins, and what stands on disk when it has ended."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json
from peft_pipelines.files.status import Status
from peft_pipelines.running.fingerprint import INFORMS
from peft_pipelines.running.state import FAILURE, LOG, State
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.checkpoint import Checkpoint, opened
from peft_pipelines.storage.model_card import card
from peft_pipelines.tracking.environment import flat, public
from peft_pipelines.tracking.manifest import Manifest

Value = str | int | float | bool


@dataclass(frozen=True)
class TrackedCell:
    """A cell that a run makes.

    ``decided`` is a hash of what decides it: with the same one it goes on where a killed run was. ``params`` are its
    rows by dotted keys. ``places`` are the paths of its datasets by kind; below a checkpoint's lie its versions.
    """

    id: str
    run_id: str
    decided: str
    params: dict[str, Value]
    places: dict[str, Path]

    @property
    def folder(self) -> Path:
        """The folder of its numbers, its answers and its state."""
        return self.places[names.METRICS].parent


@dataclass(frozen=True)
class Result:
    """What has become of a cell: status, numbers, facts in words, files, model card, and the log of its training."""

    status: Status
    numbers: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    card: str = ""
    log: list[dict[str, float]] = field(default_factory=list)


def tracked_cell(name: str, decided: str, manifest: Manifest, catalog: DataCatalog) -> TrackedCell:
    """Return what trackers are told of a cell, given by its id, as it begins.

    Raises:
        AssertionError: the catalog keeps an artifact of the cell in memory only.
    """
    cell, rows = Cell.of(name), manifest.rows
    method = {key: value for key, value in rows["methods"][cell.method].items() if key != "training"}
    told = {
        "method": method,
        "model": rows["models"][cell.model],
        "seed": {"value": rows["seeds"][cell.seed]},
        "training": rows["training"] | rows["methods"][cell.method].get("training", {}),
        "sampling": rows["sampling"],
        "lr_search": rows["grid"].get("lr_search"),
    }
    named: dict[str, Value] = {axis: getattr(cell, axis) for axis in ("method", "model", "task", "seed")}
    told = _named(public(told))
    inner = {key: _plain(value) for key, value in flat(told).items() if not INFORMS & {*key.split(".")}}
    places = {kind: path for kind in names.KINDS if (path := place(catalog, names.artifact(cell, kind)))}
    assert names.METRICS in places, "the runner keeps the cell's state beside them"
    return TrackedCell(name, manifest.id, decided, named | inner, places)


def _named(value: Any) -> Any:
    """Nested values; a mapping whose keys are no names, such as patterns of modules, as JSON: MLflow takes only names.

    >>> _named({"r": 8, "rank_pattern": {"^model.*q_proj": 4}})
    {'r': 8, 'rank_pattern': '{"^model.*q_proj": 4}'}
    """
    if not isinstance(value, Mapping):
        return value
    if not all(str(key).isidentifier() for key in value):
        return json.dumps(value)
    return {key: _named(inner) for key, inner in value.items()}


def _plain(value: Any) -> Value:
    """A value that each tracker takes; lists and null as JSON."""
    return value if isinstance(value, Value) else json.dumps(value)


def result_of(cell: TrackedCell, failed: bool) -> Result:
    """Return what a cell has left on disk.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged.
    """
    if failed:
        left = read_json(cell.folder / FAILURE)
        files = [path for name in (FAILURE, LOG) if (path := cell.folder / name).is_file()]
        return Result(Status.FAILED, facts={"reason": f"{left['type']}: {left['reason']}"}, files=files)
    files = [cell.places[kind] for kind in (names.METRICS, names.PREDICTIONS) if kind in cell.places]
    made = read_json(cell.places[names.METRICS]) if cell.places[names.METRICS].is_file() else {}
    made = made if made.get("run_id") == cell.run_id else {}  # of a run that leaves out scoring they are older
    facts = {key: value for key, value in made.items() if isinstance(value, str) and value}
    found = _checkpoint(cell)
    if found:
        store = os.path.commonpath([found.folder, cell.folder])
        facts["checkpoint"] = found.folder.relative_to(store).as_posix()
    files = [path for path in files if made and path.is_file()]
    text = card(found.record, made or None, found.dropped) if found else ""
    return Result(Status.DONE, numbers(made), facts, files, text, found.record.get("log", []) if found else [])


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return all finite numbers of nested values by dotted keys; truth values are none.

    >>> numbers({"accuracy": 0.5, "ci": {"low": 0.25}, "metric": "accuracy", "lr_at_edge": True})
    {'accuracy': 0.5, 'ci.low': 0.25}
    """
    return {
        key: float(value)
        for key, value in flat(values).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def _checkpoint(cell: TrackedCell) -> Checkpoint | None:
    """The checkpoint that the cell's state names; None where it names none."""
    name = names.artifact(Cell.of(cell.id), names.CHECKPOINT)
    version = State(Unit(names.cell_tag(cell.id), ()), cell.folder).versions().get(name)
    path = cell.places.get(names.CHECKPOINT)
    return opened(path / version / path.name) if path and version else None
