"""Construct, train, generate and score, once a cell; one namespace a method, so that it is one box in the picture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.cells.construct import construct
from peft_pipelines.pipelines.cells.generate import generate
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.pipelines.cells.train import train
from peft_pipelines.specs import Cell, Grid

Step = tuple[Callable[..., Any], dict[str, str], list[str]]
"""A node's function, its inputs by argument, and the artifacts that it makes."""
Together = Mapping[str, Sequence[str]]
"""By method the tasks that it learns together."""


def create_pipeline(grid: Grid, together: Together) -> Pipeline:
    """The cells of a grid; ``together`` names the tasks of each method that learns several at once."""
    return Pipeline([node for cell in grid.cells() for node in _cell(cell, together.get(cell.method, ()))])


def dataset(cell: Cell, artifact: str) -> str:
    """The catalog's name of what a cell makes."""
    return f"{cell.method}.{cell.model}-{cell.task}-{cell.seed}-{artifact}"


def _cell(cell: Cell, together: Sequence[str]) -> list[Node]:
    specs = {
        "method": f"params:methods.{cell.method}",
        "model": f"params:models.{cell.model}",
        "protocol": "params:training",
        "weights": f"{cell.model}_weights",
    }
    asked = {
        "task": f"params:tasks.{cell.task}",
        "seed": f"params:seeds.{cell.seed}",
        "prompts": f"{cell.task}_prompts",
    }
    live = {
        "peft_model": dataset(cell, "peft_model@live"),
        "workspace": dataset(cell, "peft_model@workspace"),
    }
    made = {name: dataset(cell, name) for name in ("checkpoint", "predictions", "generation")}
    shared = {"protocol": specs["protocol"], "tuning": "params:grid.tuning"}
    judging = {"task": asked["task"], "pscp": "params:pscp", "execution": "params:execution"}
    others = {f"task.{name}": f"params:tasks.{name}" for name in together}
    others |= {f"prompts.{name}": f"{name}_prompts" for name in together}
    steps: list[Step] = [
        (construct, {**specs, "seed": asked["seed"]}, ["peft_model@live"]),
        (train, {**live, **asked, **shared, **others}, ["checkpoint"]),
        (generate, {**specs, **asked, "checkpoint": made["checkpoint"]}, ["predictions", "generation"]),
        (score, {**made, **judging}, ["metrics"]),
    ]
    return [_node(cell, function, inputs, outputs) for function, inputs, outputs in steps]


def _node(cell: Cell, function: Callable[..., Any], inputs: dict[str, str], outputs: list[str]) -> Node:
    names = [dataset(cell, output) for output in outputs]
    return Node(
        function,
        inputs,
        names[0] if len(names) == 1 else names,
        name=f"{cell.model}-{cell.task}-{cell.seed}-{function.__name__}",
        namespace=cell.method,
        tags=[f"cell.{cell.id}", cell.method, cell.model, cell.task, cell.seed],
    )
