"""From what each method's cells left and the baselines' answers to the tables, the plots and the page."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from peft_pipelines.config import Grid
from peft_pipelines.files import names
from peft_pipelines.reporting.collect import collect
from peft_pipelines.reporting.comparisons import compare, judge
from peft_pipelines.reporting.details import details
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.learning_curves import plot_curves, plot_lr_search
from peft_pipelines.reporting.page.page import page
from peft_pipelines.reporting.pareto import plot_costs
from peft_pipelines.reporting.plots import plot
from peft_pipelines.reporting.ranks import rank
from peft_pipelines.reporting.results import guess, majority, tabulate, tell

TAGS = ["report"]


def create_pipeline(grid: Grid) -> Pipeline:
    """The report pipeline of a grid."""
    rows = {f"rows.{method}": names.results(method) for method in (names.MAJORITY, names.RANDOM, *grid.methods)}
    specs = {f"spec.{method}": names.parameter("methods", method) for method in grid.methods}
    models = {f"model.{model}": names.parameter("models", model) for model in grid.models}
    tasks = {f"task.{task}": names.parameter("tasks", task) for task in grid.tasks}
    prompts = {f"prompts.{task}": names.prompts(task) for task in grid.tasks}
    answers = {f"answers.{method}": names.answers(method) for method in grid.methods}
    found = {f"details.{method}": names.details(method) for method in grid.methods}
    numbers = {name: name for name in ("results", "comparisons", "differences", "ranks")}
    constants = {"pscp": "params:pscp", "grid": "params:grid", "published": "params:published"}
    return Pipeline(
        [
            *_baseline(grid, names.MAJORITY, majority),
            *_baseline(grid, names.RANDOM, guess),
            *[node for method in grid.methods for node in _method(grid, method)],
            _node(compare, answers | tasks | prompts | {"majority": names.results(names.MAJORITY)}, "comparisons"),
            _node(judge, "comparisons", "differences"),
            _node(
                tabulate,
                {"differences": "differences", "data": names.DATA_REPORT} | rows | specs,
                ["results", "results_csv"],
            ),
            _node(tell, {"results": "results", "pscp": "params:pscp"} | models, "results_table"),
            _node(latex, "results", "results_latex"),
            _node(rank, "results", ["ranks", "rank_plot"]),
            _node(plot, "results", "score_plot"),
            _node(plot_costs, "results", "cost_plot"),
            _node(plot_curves, found, "curve_plot"),
            _node(plot_lr_search, found, "lr_search_plot"),
            _node(page, numbers | models | found | constants, "report_page"),
        ]
    )


def _node(function: Callable[..., Any], inputs: Any, outputs: Any) -> Node:
    return Node(function, inputs, outputs, name=function.__name__, tags=TAGS)


def _method(grid: Grid, method: str) -> list[Node]:
    """The nodes that read what the cells of a method left: the last ones in the method's box."""
    cells = {f"{cell.model}.{cell.task}.{cell.seed}": cell for cell in grid.cells() if cell.method == method}
    scores = {name: names.artifact(cell, "metrics") for name, cell in cells.items()}
    parts = {
        f"{artifact}.{name}": names.artifact(cell, artifact)
        for artifact in ("metrics", "predictions", "checkpoint")
        for name, cell in cells.items()
    }
    tasks = {f"task.{task}": names.parameter("tasks", task) for task in grid.tasks}
    made = [names.details(method), names.answers(method)]
    return [
        Node(collect, scores, names.results(method), name="collect", namespace=method, tags=[*TAGS, method]),
        Node(details, parts | tasks, made, name="details", namespace=method, tags=[*TAGS, method]),
    ]


def _baseline(grid: Grid, name: str, function: Callable[..., Any]) -> list[Node]:
    """Answers that ask no model, as a method of their own: the same box, the same rows."""
    scored = [
        Node(
            function,
            {"prompts": names.prompts(task), "task": names.parameter("tasks", task)},
            names.scores(name, task),
            name=names.task_node(task, name),
            namespace=name,
            tags=[*TAGS, task],
        )
        for task in grid.tasks
    ]
    found = {f"{model}.{task}.-": names.scores(name, task) for model in grid.models for task in grid.tasks}
    return [*scored, Node(collect, found, names.results(name), name="collect", namespace=name, tags=TAGS)]
