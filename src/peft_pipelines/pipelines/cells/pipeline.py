"""Construct, train, generate and score, once a cell; one namespace a method, so that it is one box in the picture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kedro.pipeline import Node, Pipeline

from peft_pipelines.config import Cell, Grid
from peft_pipelines.files import names
from peft_pipelines.pipelines.cells.construct import construct
from peft_pipelines.pipelines.cells.generate import generate
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.pipelines.cells.train import train

Step = tuple[Callable[..., Any], dict[str, str], list[str]]
"""A node's function, its inputs by argument, and the artifacts that it makes."""
Together = Mapping[str, Sequence[str]]
"""By method the tasks that it learns together."""


def create_pipeline(grid: Grid, together: Together) -> Pipeline:
    """The cells of a grid; ``together`` names the tasks of each method that learns several at once."""
    return Pipeline([node for cell in grid.cells() for node in _cell(cell, together.get(cell.method, ()))])


def _cell(cell: Cell, together: Sequence[str]) -> list[Node]:
    specs = {
        "method": names.parameter("methods", cell.method),
        "model": names.parameter("models", cell.model),
        "training_args": names.parameter("training"),
        "weights": names.weights(cell.model),
    }
    asked = {
        "task": names.parameter("tasks", cell.task),
        "seed": names.parameter("seeds", cell.seed),
        "prompts": names.prompts(cell.task),
    }
    live = {
        "peft_model": names.artifact(cell, names.LIVE),
        "workspace": names.artifact(cell, names.WORKSPACE),
    }
    made = {name: names.artifact(cell, name) for name in (names.CHECKPOINT, names.PREDICTIONS, names.GENERATION)}
    shared = {"training_args": specs["training_args"], "lr_search": names.parameter("grid", "lr_search")}
    scored_by = {"task": asked["task"], "pscp": names.parameter("pscp"), "execution": names.parameter("execution")}
    others = {names.argument("task", name): names.parameter("tasks", name) for name in together}
    others |= {names.argument("prompts", name): names.prompts(name) for name in together}
    steps: list[Step] = [
        (construct, {**specs, "seed": asked["seed"]}, [names.LIVE]),
        (train, {**live, **asked, **shared, **others}, [names.CHECKPOINT]),
        (generate, {**specs, **asked, "checkpoint": made["checkpoint"]}, [names.PREDICTIONS, names.GENERATION]),
        (score, {**made, **scored_by}, [names.METRICS]),
    ]
    return [_node(cell, function, inputs, outputs) for function, inputs, outputs in steps]


def _node(cell: Cell, function: Callable[..., Any], inputs: dict[str, str], outputs: list[str]) -> Node:
    made = [names.artifact(cell, output) for output in outputs]
    return Node(
        function,
        inputs,
        made[0] if len(made) == 1 else made,
        name=names.cell_node(cell, function.__name__),
        namespace=cell.method,
        tags=[names.cell_tag(cell.id), cell.method, cell.model, cell.task, cell.seed],
    )
