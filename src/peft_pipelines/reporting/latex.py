"""The scores as a LaTeX table (package booktabs), ready to be input."""

import pandas as pd

from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.escape import for_latex, for_terminal
from peft_pipelines.reporting.scale import best_scores, is_best, metrics_of
from peft_pipelines.reporting.table import MISSING, bounded
from peft_pipelines.reporting.warning_signs import CUT_OFF, LEAK, LIKE_MAJORITY, MARKS, TRUNCATED, together

SIGNS = dict(zip(MARKS, MARKS, strict=True)) | {
    CUT_OFF: r"$\ldots$",
    LIKE_MAJORITY: r"$\approx$",
    TRUNCATED: r"$\dagger$",
    LEAK: r"$\ddagger$",
}
"""The signs beside a score, as LaTeX has them."""


def latex(results: pd.DataFrame) -> str:
    """One ``tabular`` a model: methods down, tasks across; a task's best score of a tuned method is bold.

    Behind a score stand the standard deviation over seeds, where there are several, the 95 % interval and the signs of
    warning_signs.py, which comments explain. Each model is an attempt of its own.

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
    best, signs = best_scores(rows, tasks), together(rows["marks"].dropna())
    lines = [
        f"% {for_terminal(model)}",
        *[f"% {SIGNS[sign]} {text}" for sign, text in MARKS.items() if sign in signs],
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
    text = bounded(cells, metric.unit)
    if text == MISSING:
        return "--"
    number, *behind = text.split(" ", 1)
    shown = rf"\textbf{{{number}}}" if is_best(cells, best) else number
    signs = "".join(SIGNS[sign] for sign in together(cells["marks"].dropna()))
    marks = [rf"\textsuperscript{{{signs}}}"] if signs else []
    return " ".join([shown, *behind, *marks]).replace("±", r"$\pm$").replace("—", "--")
