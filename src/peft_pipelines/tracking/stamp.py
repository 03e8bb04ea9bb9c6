"""The provenance of a cell's checkpoint and numbers."""

from functools import cached_property
from typing import Any

from kedro.pipeline.node import Node

from peft_pipelines.config import Cell, ModelSpec, parse
from peft_pipelines.files import names
from peft_pipelines.running.failures import now
from peft_pipelines.storage.checkpoint import Trained
from peft_pipelines.tracking.environment import public
from peft_pipelines.tracking.manifest import Manifest


class Stamps:
    """Adds the provenance to what a cell's nodes made, before it is saved. The nodes themselves know no run."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._started: dict[str, str] = {}

    @cached_property
    def _cells(self) -> dict[str, Cell]:
        """The run's cells by their nodes' tag."""
        return {names.cell_tag(cell.id): cell for cell in self._manifest.cells}

    def begin(self, node: Node) -> None:
        """Begin the run's record at its first node, and note when each cell's first node began."""
        self._manifest.begin()
        for tag in node.tags & self._cells.keys():
            self._started.setdefault(tag, now())

    def stamp(self, name: str, data: Any, node: Node) -> None:
        """Add to a checkpoint's record its provenance, and to a cell's numbers the cell, the run and the commit."""
        cell = next((self._cells[tag] for tag in node.tags if tag in self._cells), None)
        if cell is None:
            return
        if isinstance(data, Trained):
            data.record["model"] = public(data.record["model"])
            data.record["provenance"] = self._provenance(cell)
        elif name == names.artifact(cell, names.METRICS) and isinstance(data, dict):
            data |= {"cell": cell.id, "run_id": self._manifest.id, "git_commit": self._commit()}

    def _again(self, cell: Cell) -> str:
        env = self._manifest.facts["asked"].get("env")
        return f"kedro reproduce {self._manifest.id} --cell {cell.id}" + (f" --env={env}" if env else "")

    def _commit(self) -> str:
        """The commit, marked where files differ from it; empty where git knows none."""
        code = self._manifest.environment["code"]
        return f"{code['git_commit'] or ''}{'-dirty' if code['git_dirty'] else ''}"

    def _provenance(self, cell: Cell) -> dict[str, Any]:
        manifest = self._manifest
        model = parse(ModelSpec, f"model '{cell.model}'", manifest.rows["models"][cell.model])
        return {
            "cell": cell.id,
            "run_id": manifest.id,
            "command": manifest.facts["command"],
            "again": self._again(cell),
            "started": self._started.get(names.cell_tag(cell.id)),
            "ended": now(),
            "task": public(manifest.rows["tasks"][cell.task]),
            "sampling": manifest.rows["sampling"],
            "data": manifest.origins.data(cell.task),
            "base_model": manifest.origins.model(model),
            "environment": manifest.environment,
        }
