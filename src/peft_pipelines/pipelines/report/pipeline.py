"""From each method's results and each task's majority answer to the table and the plot."""

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.report.nodes import majority, plot, tabulate
from peft_pipelines.specs import Grid


def create_pipeline(grid: Grid) -> Pipeline:
    """The report pipeline of a grid."""
    baselines = [
        Node(
            majority,
            {"prompts": f"{task}_prompts", "task": f"params:tasks.{task}"},
            f"{task}_majority",
            name=f"{task}-majority",
            tags=["report", task],
        )
        for task in grid.tasks
    ]
    results = {f"method.{method}": f"{method}_results" for method in grid.methods}
    table = Node(
        tabulate,
        results | {f"task.{task}": f"{task}_majority" for task in grid.tasks},
        ["results", "results_csv", "results_table"],
        name="tabulate",
        tags=["report"],
    )
    return Pipeline([*baselines, table, Node(plot, "results", "score_plot", name="plot", tags=["report"])])
