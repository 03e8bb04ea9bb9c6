"""From what each method's cells left and the baselines' answers to the tables, the plots and the page."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from peft_pipelines.config import Grid
from peft_pipelines.files import names
from peft_pipelines.reporting.collect import collect
from peft_pipelines.reporting.comparisons import adjust_p_values, compare
from peft_pipelines.reporting.details import details
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.learning_curves import plot_curves, plot_lr_search
from peft_pipelines.reporting.other_metrics import compare_others
from peft_pipelines.reporting.page.page import page
from peft_pipelines.reporting.pareto import plot_costs
from peft_pipelines.reporting.plots import plot
from peft_pipelines.reporting.ranks import rank
from peft_pipelines.reporting.results import guess, majority, tabulate, write_table
from peft_pipelines.reporting.summary_sentences import summarise

TAGS = ["report"]
NUMBERS = (names.RESULTS, names.COMPARISONS, names.OTHERS, names.DIFFERENCES, names.RANKS, names.SUMMARY)
"""What the page is made of, beside the cells' details."""
BESIDE = {"differences": names.DIFFERENCES, "data": names.DATA_REPORT, "comparisons": names.COMPARISONS}
"""What the table of results is made of, beside the cells' numbers."""


def create_pipeline(grid: Grid) -> Pipeline:
    """The report pipeline of a grid."""
    rows = {
        names.argument("rows", method): names.results(method)
        for method in (names.MAJORITY, names.RANDOM, *grid.methods)
    }
    specs = {names.argument("spec", method): names.parameter("methods", method) for method in grid.methods}
    models = {names.argument("model", model): names.parameter("models", model) for model in grid.models}
    found = {names.argument("details", method): names.details(method) for method in grid.methods}
    numbers = {name: name for name in NUMBERS}
    constants = {name: names.parameter(name) for name in ("pscp", "grid", "published")}
    failed = {names.FAILED_PARTS: names.FAILED_PARTS}
    nodes = [
        *_baseline(grid, names.MAJORITY, majority),
        *_baseline(grid, names.RANDOM, guess),
        *[node for method in grid.methods for node in _method(grid, method)],
        _node(compare, _compared(grid), names.COMPARISONS),
        _node(compare_others, _compared(grid), names.OTHERS),
        _node(adjust_p_values, names.COMPARISONS, names.DIFFERENCES),
        _node(tabulate, BESIDE | rows | specs, [names.RESULTS, names.RESULTS_CSV]),
        _node(summarise, {"results": names.RESULTS, "differences": names.DIFFERENCES} | specs, names.SUMMARY),
        _node(
            write_table,
            {"results": names.RESULTS, "summary": names.SUMMARY, "pscp": names.parameter("pscp")} | failed | models,
            names.RESULTS_TABLE,
        ),
        _node(latex, names.RESULTS, names.RESULTS_LATEX),
        _node(rank, names.RESULTS, [names.RANKS, names.RANK_PLOT]),
        _node(plot, names.RESULTS, names.SCORE_PLOT),
        _node(plot_costs, names.RESULTS, names.COST_PLOT),
        _node(plot_curves, found, names.CURVE_PLOT),
        _node(plot_lr_search, found, names.LR_SEARCH_PLOT),
        _node(page, numbers | failed | models | found | constants, names.REPORT_PAGE),
    ]
    return Pipeline(nodes)


def _compared(grid: Grid) -> dict[str, str]:
    """What comparisons are made of: the answers of all methods, and the rows and prompts of all tasks."""
    tasks = {names.argument("task", task): names.parameter("tasks", task) for task in grid.tasks}
    prompts = {names.argument("prompts", task): names.prompts(task) for task in grid.tasks}
    answers = {names.argument("answers", method): names.answers(method) for method in grid.methods}
    return answers | tasks | prompts | {"majority": names.results(names.MAJORITY)}


def _node(function: Callable[..., Any], inputs: Any, outputs: Any) -> Node:
    return Node(function, inputs, outputs, name=function.__name__, tags=TAGS)


def _method(grid: Grid, method: str) -> list[Node]:
    """The nodes that read what the cells of a method left: the last ones in the method's box."""
    cells = {names.cell_id(cell.model, cell.task, cell.seed): cell for cell in grid.cells() if cell.method == method}
    scores = {name: names.artifact(cell, names.METRICS) for name, cell in cells.items()}
    parts = {
        names.argument(artifact, name): names.artifact(cell, artifact)
        for artifact in (names.METRICS, names.PREDICTIONS, names.CHECKPOINT)
        for name, cell in cells.items()
    }
    tasks = {names.argument("task", task): names.parameter("tasks", task) for task in grid.tasks}
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
    found = {names.cell_id(model, task, "-"): names.scores(name, task) for model in grid.models for task in grid.tasks}
    return [*scored, Node(collect, found, names.results(name), name="collect", namespace=name, tags=TAGS)]
