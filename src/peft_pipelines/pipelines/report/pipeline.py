"""From the metrics of each method's cells and the majority answers to the table and the plots."""

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.cells.pipeline import dataset
from peft_pipelines.pipelines.report.collect import collect
from peft_pipelines.pipelines.report.nodes import majority, tabulate, tell
from peft_pipelines.pipelines.report.plots import plot, plot_costs
from peft_pipelines.specs import MAJORITY, Grid

TAGS = ["report"]


def create_pipeline(grid: Grid) -> Pipeline:
    """The report pipeline of a grid."""
    rows = {f"rows.{method}": f"{method}_results" for method in (MAJORITY, *grid.methods)}
    specs = {f"spec.{method}": f"params:methods.{method}" for method in grid.methods}
    models = {model: f"params:models.{model}" for model in grid.models}
    return Pipeline(
        [
            *_majority(grid),
            *[_collection(grid, method) for method in grid.methods],
            Node(tabulate, rows | specs, ["results", "results_csv"], name="tabulate", tags=TAGS),
            Node(tell, {"results": "results"} | models, "results_table", name="tell", tags=TAGS),
            Node(plot, "results", "score_plot", name="plot", tags=TAGS),
            Node(plot_costs, "results", "cost_plot", name="plot_costs", tags=TAGS),
        ]
    )


def _collection(grid: Grid, method: str) -> Node:
    """The node that reads what the cells of a method left: the last one in the method's box."""
    cells = [cell for cell in grid.cells() if cell.method == method]
    found = {f"{cell.model}.{cell.task}.{cell.seed}": dataset(cell, "metrics") for cell in cells}
    return Node(collect, found, f"{method}_results", name="collect", namespace=method, tags=[*TAGS, method])


def _majority(grid: Grid) -> list[Node]:
    """The majority answers as a method of their own: the same box, the same rows."""
    scored = [
        Node(
            majority,
            {"prompts": f"{task}_prompts", "task": f"params:tasks.{task}"},
            f"{MAJORITY}.{task}-scores",
            name=f"{task}-majority",
            namespace=MAJORITY,
            tags=[*TAGS, task],
        )
        for task in grid.tasks
    ]
    found = {f"{model}.{task}.-": f"{MAJORITY}.{task}-scores" for model in grid.models for task in grid.tasks}
    return [*scored, Node(collect, found, f"{MAJORITY}_results", name="collect", namespace=MAJORITY, tags=TAGS)]
