"""The scores as a LaTeX table (package booktabs), ready to be input."""

import pandas as pd

from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.escape import for_latex, for_terminal
from peft_pipelines.reporting.scale import metrics_of
from peft_pipelines.reporting.table import MISSING, spread


def latex(results: pd.DataFrame) -> str:
    """One ``tabular`` a model: methods down, tasks across; the best score of a task is bold.

    Where a score is the mean over seeds its standard deviation stands behind it. Each model is an attempt of its own.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
    """
    parts: list[str] = []
    for model, rows in results.groupby("model", sort=False):
        with attempt(str(model)):
            parts.append(_tabular(str(model), rows))
    return "% needs \\usepackage{booktabs}\n" + "\n".join(parts)


def _tabular(model: str, rows: pd.DataFrame) -> str:
    tasks = metrics_of(rows)
    methods = list(rows["method"].unique())
    means = rows.groupby(["method", "task"], sort=False)["primary"].mean()
    best = {task: metric.best(list(means.xs(task, level="task").dropna())) for task, metric in tasks.items()}
    lines = [
        f"% {for_terminal(model)}",
        rf"\begin{{tabular}}{{l{'r' * len(tasks)}}}",
        r"\toprule",
        " & ".join(["method", *map(for_latex, tasks)]) + r" \\",
        " & ".join(["", *[rf"\footnotesize {for_latex(metric.name)}{_arrow(metric)}" for metric in tasks.values()]])
        + r" \\",
        r"\midrule",
    ]
    for method in methods:
        own = rows[rows["method"] == method]
        cells = [_cell(own[own["task"] == task], metric, best[task]) for task, metric in tasks.items()]
        lines.append(" & ".join([for_latex(method), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _arrow(metric: Quantity) -> str:
    return "" if metric.higher_is_better else r" $\downarrow$"


def _cell(cells: pd.DataFrame, metric: Quantity, best: float) -> str:
    text = spread(cells["primary"], list(cells["status"]), metric.unit)
    if text == MISSING:
        return "--"
    number, *behind = text.split(" ", 1)
    shown = rf"\textbf{{{number}}}" if cells["primary"].mean() == best else number
    return " ".join([shown, *behind]).replace("±", r"$\pm$").replace("—", "--")
