"""Raw rows → two columns of text → prompts, once a task; and the report on all rows."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from peft_pipelines.config import Grid
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.profile import profile
from peft_pipelines.files import names
from peft_pipelines.reporting.data_report import data_report


def create_pipeline(grid: Grid, others: Sequence[str] = ()) -> Pipeline:
    """The data pipeline of a grid's tasks, and of others that are only learnt from."""
    tasks = list(dict.fromkeys([*grid.tasks, *others]))
    found = {task: names.profile(task) for task in tasks}
    outputs = [names.DATA_REPORT, names.DATA_REPORT_TEXT]
    report = Node(data_report, found, outputs, name=names.DATA_REPORT, namespace=names.PROFILES, tags=["data"])
    return Pipeline([*(node for task in tasks for node in _task(task, grid.models[0])), report])


def _task(task: str, model: str) -> list[Node]:
    """The nodes of a task; the profile counts in the tokens of a model, the grid's first."""
    tags = ["data", names.data_tag(task), task]
    specs = {"task": names.parameter("tasks", task)}
    counted = {
        "model": names.parameter("models", model),
        "training_args": names.parameter("training"),
        "weights": names.weights(model),
    }
    rows = {"adapted": names.adapted(task), "prompts": names.prompts(task)}
    return [
        Node(
            adapt,
            {"raw": names.raw(task), **specs, "sampling": names.parameter("sampling")},
            rows["adapted"],
            name=names.task_node(task, "adapt"),
            tags=tags,
        ),
        Node(
            instruct,
            {"adapted": rows["adapted"], **specs},
            rows["prompts"],
            name=names.task_node(task, "instruct"),
            tags=tags,
        ),
        Node(
            profile,
            rows | specs | counted,
            names.profile(task),
            name=names.task_node(task, "profile"),
            namespace=names.PROFILES,
            tags=tags,
        ),
    ]
