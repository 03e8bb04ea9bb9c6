"""Raw rows → two columns of text → prompts, once a task; and the report on all rows."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.data.nodes import adapt, instruct
from peft_pipelines.pipelines.data.profile import profile
from peft_pipelines.pipelines.data.report import data_report
from peft_pipelines.specs import PROFILES, Grid


def create_pipeline(grid: Grid, others: Sequence[str] = ()) -> Pipeline:
    """The data pipeline of a grid's tasks, and of others that are only learnt from."""
    tasks = list(dict.fromkeys([*grid.tasks, *others]))
    found = {task: f"{PROFILES}.{task}-profile" for task in tasks}
    outputs = ["data_report", "data_report_text"]
    report = Node(data_report, found, outputs, name="data_report", namespace=PROFILES, tags=["data"])
    return Pipeline([*(node for task in tasks for node in _task(task, grid.models[0])), report])


def _task(task: str, model: str) -> list[Node]:
    """The nodes of a task; the profile counts in the tokens of a model, the grid's first."""
    tags = ["data", f"data.{task}", task]
    specs = {"task": f"params:tasks.{task}"}
    counted = {"model": f"params:models.{model}", "protocol": "params:training", "weights": f"{model}_weights"}
    rows = {"adapted": f"{task}_adapted", "prompts": f"{task}_prompts"}
    return [
        Node(
            adapt,
            {"raw": f"{task}_raw", **specs, "sampling": "params:sampling"},
            rows["adapted"],
            name=f"{task}-adapt",
            tags=tags,
        ),
        Node(instruct, {"adapted": rows["adapted"], **specs}, rows["prompts"], name=f"{task}-instruct", tags=tags),
        Node(
            profile,
            rows | specs | counted,
            f"{PROFILES}.{task}-profile",
            name=f"{task}-profile",
            namespace=PROFILES,
            tags=tags,
        ),
    ]
