"""From what each method's cells left and the baselines' answers to the tables, the plots and the page."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from peft_pipelines.pipelines.cells.pipeline import dataset
from peft_pipelines.pipelines.report.collect import collect
from peft_pipelines.pipelines.report.compare import compare, judge
from peft_pipelines.pipelines.report.details import details
from peft_pipelines.pipelines.report.latex import latex
from peft_pipelines.pipelines.report.nodes import guess, majority, tabulate, tell
from peft_pipelines.pipelines.report.page import page
from peft_pipelines.pipelines.report.pareto import plot_costs
from peft_pipelines.pipelines.report.plots import plot
from peft_pipelines.pipelines.report.ranks import rank
from peft_pipelines.pipelines.report.training import plot_curves, plot_ladders
from peft_pipelines.specs import MAJORITY, RANDOM, Grid

TAGS = ["report"]


def create_pipeline(grid: Grid) -> Pipeline:
    """The report pipeline of a grid."""
    rows = {f"rows.{method}": f"{method}_results" for method in (MAJORITY, RANDOM, *grid.methods)}
    specs = {f"spec.{method}": f"params:methods.{method}" for method in grid.methods}
    models = {f"model.{model}": f"params:models.{model}" for model in grid.models}
    tasks = {f"task.{task}": f"params:tasks.{task}" for task in grid.tasks}
    prompts = {f"prompts.{task}": f"{task}_prompts" for task in grid.tasks}
    answers = {f"answers.{method}": f"{method}_answers" for method in grid.methods}
    found = {f"details.{method}": f"{method}_details" for method in grid.methods}
    numbers = {name: name for name in ("results", "comparisons", "differences", "ranks")}
    constants = {"pscp": "params:pscp", "grid": "params:grid", "published": "params:published"}
    return Pipeline(
        [
            *_baseline(grid, MAJORITY, majority),
            *_baseline(grid, RANDOM, guess),
            *[node for method in grid.methods for node in _method(grid, method)],
            _node(compare, answers | tasks | prompts | {"majority": f"{MAJORITY}_results"}, "comparisons"),
            _node(judge, "comparisons", "differences"),
            _node(
                tabulate,
                {"differences": "differences", "data": "data_report"} | rows | specs,
                ["results", "results_csv"],
            ),
            _node(tell, {"results": "results", "pscp": "params:pscp"} | models, "results_table"),
            _node(latex, "results", "results_latex"),
            _node(rank, "results", ["ranks", "rank_plot"]),
            _node(plot, "results", "score_plot"),
            _node(plot_costs, "results", "cost_plot"),
            _node(plot_curves, found, "curve_plot"),
            _node(plot_ladders, found, "ladder_plot"),
            _node(page, numbers | models | found | constants, "report_page"),
        ]
    )


def _node(function: Callable[..., Any], inputs: Any, outputs: Any) -> Node:
    return Node(function, inputs, outputs, name=function.__name__, tags=TAGS)


def _method(grid: Grid, method: str) -> list[Node]:
    """The nodes that read what the cells of a method left: the last ones in the method's box."""
    cells = {f"{cell.model}.{cell.task}.{cell.seed}": cell for cell in grid.cells() if cell.method == method}
    scores = {name: dataset(cell, "metrics") for name, cell in cells.items()}
    parts = {
        f"{artifact}.{name}": dataset(cell, artifact)
        for artifact in ("metrics", "predictions", "checkpoint")
        for name, cell in cells.items()
    }
    tasks = {f"task.{task}": f"params:tasks.{task}" for task in grid.tasks}
    made = [f"{method}_details", f"{method}_answers"]
    return [
        Node(collect, scores, f"{method}_results", name="collect", namespace=method, tags=[*TAGS, method]),
        Node(details, parts | tasks, made, name="details", namespace=method, tags=[*TAGS, method]),
    ]


def _baseline(grid: Grid, name: str, function: Callable[..., Any]) -> list[Node]:
    """Answers that ask no model, as a method of their own: the same box, the same rows."""
    scored = [
        Node(
            function,
            {"prompts": f"{task}_prompts", "task": f"params:tasks.{task}"},
            f"{name}.{task}-scores",
            name=f"{task}-{name}",
            namespace=name,
            tags=[*TAGS, task],
        )
        for task in grid.tasks
    ]
    found = {f"{model}.{task}.-": f"{name}.{task}-scores" for model in grid.models for task in grid.tasks}
    return [*scored, Node(collect, found, f"{name}_results", name="collect", namespace=name, tags=TAGS)]
