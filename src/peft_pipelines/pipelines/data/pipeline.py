"""Raw rows → two columns of text → prompts, once a task."""

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.data.nodes import adapt, instruct
from peft_pipelines.specs import Grid


def create_pipeline(grid: Grid) -> Pipeline:
    """The data pipeline of a grid's tasks."""
    return Pipeline([node for task in grid.tasks for node in _task(task)])


def _task(task: str) -> list[Node]:
    tags = ["data", f"data.{task}", task]
    return [
        Node(
            adapt,
            {"raw": f"{task}_raw", "task": f"params:tasks.{task}", "sampling": "params:sampling"},
            f"{task}_adapted",
            name=f"{task}-adapt",
            tags=tags,
        ),
        Node(
            instruct,
            {"adapted": f"{task}_adapted", "task": f"params:tasks.{task}"},
            f"{task}_prompts",
            name=f"{task}-instruct",
            tags=tags,
        ),
    ]
