"""The record of a run: where it ran, with which rows, on and into which versions, and the number of each cell."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from pydantic import BaseModel

from peft_pipelines.config import AXES, Cell, Grid, ModelSpec, parse
from peft_pipelines.files import names
from peft_pipelines.files.atomic import write_json, write_text
from peft_pipelines.files.status import Status
from peft_pipelines.running import progress_file
from peft_pipelines.running.failures import now
from peft_pipelines.running.report_runner import failed_parts, lost
from peft_pipelines.running.source import PACKAGE, code
from peft_pipelines.running.stages import DECIDES_NOTHING, DECIDING
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.checkpoint import write_card
from peft_pipelines.tracking.environment import command_line, environment
from peft_pipelines.tracking.made_on import checkpoint_of, made_on
from peft_pipelines.tracking.origins import Origins
from peft_pipelines.tracking.runs import MANIFEST, ROWS, keep, runs_folder

ASKED = ("pipeline_names", "env", "tags", "node_names", "namespaces", "from_nodes", "to_nodes")


class Manifest:
    """The manifest of one run: written when its first node begins, and again, with its cells, when the run ends."""

    def __init__(self, run: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog, project: Path) -> None:
        self.id, self._catalog, self._project = str(run["run_id"]), catalog, project
        self.rows = _rows(catalog.load(names.PARAMETERS))
        self.grid = parse(Grid, "grid.yml", self.rows["grid"])
        self._begun = False
        self._nodes = {node.name for node in pipeline.nodes}
        self._names = {name for node in pipeline.nodes for name in (*node.inputs, *node.outputs)}
        self.facts: dict[str, Any] = {
            "run_id": self.id,
            "command": command_line(run),
            "started": now(),
            "asked": {key: run[key] for key in ASKED if run.get(key)} | {"runner": _class_of(str(run["runner"]))},
            "modules_sha256": code(PACKAGE, DECIDING, DECIDES_NOTHING),
            "grid": self.rows["grid"],
        }

    @cached_property
    def folder(self) -> Path:
        """The run's folder; its parent is made at the first use, so that a refused run leaves nothing."""
        return runs_folder(self._catalog) / self.id

    @property
    def environment(self) -> dict[str, Any]:
        """The environment as it is now: torch's part is known once it is loaded."""
        return environment(self._project)

    @cached_property
    def origins(self) -> Origins:
        """The data and weights of the run's store."""
        return Origins(self._catalog, self._project / names.LOCK)

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells of which the pipeline reads or makes an artifact."""
        return [
            cell for cell in self.grid.cells() if self._names & {names.artifact(cell, kind) for kind in names.KINDS}
        ]

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks of which the pipeline reads or makes data."""
        return [task for task in self.grid.tasks if self._names & {names.adapted(task), names.prompts(task)}]

    def begin(self) -> None:
        """Write the manifest of a run that goes on, once."""
        if not self._begun:
            self._begun = True
            self._write({**self.facts, "status": Status.RUNNING, "reason": None, "cells": {}})

    def end(self, status: str, reason: str | None = None) -> None:
        """Write the manifest of a run that has ended, with what it has made."""
        facts = {**self.facts, "status": status, "reason": reason, "ended": now()}
        if status not in (Status.FAILED, Status.INTERRUPTED):
            facts |= self._made()
        else:
            with suppress(Exception):  # the error that ended the run may hinder this too, and is the one to be reported
                facts |= self._made() if status == Status.FAILED else self._made_cells()  # which takes no long hashing
        facts.setdefault("cells", {})
        self._write(facts)
        progress_file.remove(self.folder)  # the record says from now on what has become of the run

    def _write(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest, then the run's rows beside it: a run that is killed has a manifest, if anything."""
        rows = yaml.safe_dump(self.rows, sort_keys=False, allow_unicode=True)
        digest = hashlib.sha256(rows.encode()).hexdigest()
        write_json(self.folder / MANIFEST, {**facts, "environment": self.environment, "rows_sha256": digest})
        write_text(self.folder / ROWS, rows)

    def _made(self) -> dict[str, Any]:
        models = {name: parse(ModelSpec, f"model '{name}'", self.rows["models"][name]) for name in self.grid.models}
        recorded = failed_parts(self._catalog) if names.FAILED_PARTS in self._catalog else []
        failed = [part for part in recorded if part["node"] in self._nodes]
        table = names.RESULTS in self._names - lost(failed)
        results = {"results": self.origins.dataset(names.RESULTS)} if table else {}
        return {
            **({"failed_parts": failed} if failed else {}),
            "models": {name: self.origins.model(spec) for name, spec in models.items()} if self.cells else {},
            "data": {task: self.origins.data(task) for task in self.tasks},
            **results,
            **self._made_cells(),
        }

    def _made_cells(self) -> dict[str, Any]:
        cells = {cell.id: self._cell(cell) for cell in self.cells}
        return {"made_on": made_on(self.cells, self._catalog, self.id), "cells": cells}

    def _cell(self, cell: Cell) -> dict[str, Any]:
        """Return the record of a cell: the run that made it, artifacts and numbers. A copy of its answers is kept."""
        state = _state(cell, self._catalog)
        artifacts = {kind: found for kind in names.KINDS if (found := self._artifact(cell, kind, state))}
        answers = artifacts.get(names.PREDICTIONS)
        if answers and (path := place(self._catalog, names.artifact(cell, names.PREDICTIONS))):
            keep(path, answers["sha256"][path.name], self.folder.parent)
        try:
            numbers = self._catalog.load(names.artifact(cell, names.METRICS))
        except DatasetError as error:  # of a cell that the run has not made
            return {"status": Status.FAILED, "reason": " ".join(str(error).split()), "artifacts": artifacts}
        if numbers is None:
            return {"status": Status.NOT_RUN, "artifacts": artifacts}
        if "primary" not in numbers:
            reason = f"{numbers['type']}: {numbers['reason']}"
            return {"status": Status.FAILED, "reason": reason, "artifacts": artifacts}
        self._card(cell, numbers)
        made = {"status": Status.DONE, "run_id": numbers.get("run_id"), "fingerprint": state.fingerprint}
        return {**made, "artifacts": artifacts, "numbers": numbers}

    def _card(self, cell: Cell, numbers: Mapping[str, Any]) -> None:
        """Write the scores into the checkpoint's card, where they are those of this checkpoint and not in it yet.

        A run that was killed has left numbers without cards, so it is not asked who made them.
        """
        checkpoint = checkpoint_of(cell, self._catalog)  # one that is damaged is named elsewhere, and gets no card
        if checkpoint and checkpoint.folder.parent.name == numbers.get("checkpoint"):
            write_card(checkpoint, numbers)

    def _artifact(self, cell: Cell, kind: str, state: State) -> dict[str, Any] | None:
        """Return version and hashes as they were when the artifact was made, else as they are now."""
        name = names.artifact(cell, kind)
        for node in state.nodes.values():
            hashes = node["sha256"].get(name)
            if hashes:
                version = node["outputs"][name]
                versioned = kind == names.CHECKPOINT
                return ({"version": version} if versioned else {}) | {"sha256": hashes}
        found = self.origins.dataset(name)
        return found if found["sha256"] else None


def _state(cell: Cell, catalog: DataCatalog) -> State:
    unit = Unit(names.cell_tag(cell.id), ())
    return State(unit, unit.folder(catalog))


def _rows(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows of the parameters, of each axis those that the grid names; no folders (``store``, ``raw``)."""
    rows = {key: value for key, value in _plain(parameters).items() if isinstance(value, Mapping)}
    kept = {axis: {name: rows[axis][name] for name in rows["grid"][axis]} for axis in AXES}
    return {**rows, **kept}


def _plain(value: Any) -> Any:
    """Turn specs that Kedro has parsed, and all else, into values that YAML can hold."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _class_of(runner: str) -> str:
    """Return a runner's class, from its name or its representation.

    >>> _class_of("<a.b.CellRunner object at 0x7f>"), _class_of("SequentialRunner")
    ('CellRunner', 'SequentialRunner')
    """
    return runner.strip("<>").split(" ")[0].rpartition(".")[2]
