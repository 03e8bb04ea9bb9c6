"""Cells that sleep instead of computing, and fail or end their process by a rule: a grid's nodes and its catalog."""

import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

GRID = {"methods": [], "models": ["m"], "tasks": [], "seeds": []}
"""The names of each axis, but for those that a number of cells decides."""


@dataclass(frozen=True)
class Rule:
    """What cells do: how long they sleep on average, and which shares fail, or end the first process that has them."""

    seed: int
    seconds: float
    failing: float
    lost: float

    def of(self, cell: str) -> tuple[float, bool, bool]:
        """The seconds that a cell sleeps, whether it fails, and whether it ends its first process."""
        draw = Random(f"{self.seed} {cell}")
        seconds = draw.expovariate(1 / self.seconds) if self.seconds else 0.0
        return seconds, draw.random() < self.failing, draw.random() < self.lost


def prepare(task: str) -> str:
    """The data of a task."""
    return task


def sleep(prompts: str, rule: dict[str, Any], cell: str, begun: str) -> dict[str, Any]:
    """A cell. Its first process notes in a file that it has begun, so that a second one knows."""
    seconds, fails, lost = Rule(**rule).of(cell)
    first = not Path(begun).exists()
    Path(begun).touch()
    if lost and first:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
    if fails:
        raise ValueError(f"{cell} fails by its rule")
    return {"seconds": seconds, "prompts": prompts}


def count(**cells: dict[str, Any] | None) -> dict[str, int]:
    """The report: how many cells stand."""
    return {"standing": sum(found is not None for found in cells.values())}


def grid_of(methods: int, tasks: int, seeds: int) -> dict[str, list[str]]:
    """A grid with so many names of each axis."""
    sizes = {"methods": methods, "tasks": tasks, "seeds": seeds}
    return {**GRID, **{axis: [f"{axis[0]}{number}" for number in range(size)] for axis, size in sizes.items()}}


def cells_of(grid: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """Method, task and seed of each cell."""
    return [(m, t, s) for m in grid["methods"] for t in grid["tasks"] for s in grid["seeds"]]


def pipeline(grid: dict[str, list[str]]) -> Pipeline:
    """The grid's nodes, with the tags that the runner groups by."""
    data = [
        Node(prepare, f"params:name.{t}", f"{t}_prompts", name=f"{t}-adapt", tags=[f"data.{t}"]) for t in grid["tasks"]
    ]
    metrics = {".".join(cell): f"{cell[0]}.m-{cell[1]}-{cell[2]}-metrics" for cell in cells_of(grid)}
    return Pipeline([*data, *(_node(*cell) for cell in cells_of(grid)), Node(count, metrics, "results", name="count")])


def _node(method: str, task: str, seed: str) -> Node:
    cell = f"{method}.{task}.{seed}"
    inputs = [f"{task}_prompts", "params:rule", f"params:cell.{cell}", f"params:begun.{cell}"]
    return Node(
        sleep,
        inputs,
        f"{method}.m-{task}-{seed}-metrics",
        name=f"m-{task}-{seed}-score",
        namespace=method,
        tags=[f"cell.{method}.m.{task}.{seed}"],
    )


def catalog(folder: Path, grid: dict[str, list[str]], rule: Rule) -> DataCatalog:
    """Everything under a folder."""
    artifact = {"type": "peft_pipelines.storage.artifact.Artifact"}
    place = folder / "{model}" / "{task}" / "{method}" / "{seed}"
    built = DataCatalog.from_config(
        {
            "{task}_prompts": {**artifact, "filepath": str(folder / "data" / "{task}" / "prompts.json")},
            "{method}.{model}-{task}-{seed}-metrics": {
                **artifact,
                "filepath": str(place / "metrics.json"),
                "optional": True,
            },
            "results": {**artifact, "filepath": str(folder / "results.json")},
            "failed_parts": {**artifact, "filepath": str(folder / "failed_parts.json"), "optional": True},
        }
    )
    built["params:grid"], built["params:rule"] = grid, asdict(rule)
    for task in grid["tasks"]:
        built[f"params:name.{task}"] = task
    for method, task, seed in cells_of(grid):
        cell = f"{method}.{task}.{seed}"
        built[f"params:cell.{cell}"] = cell
        built[f"params:begun.{cell}"] = str(folder / f"begun-{cell}")
    return built
