"""The scores as a LaTeX table (package booktabs), ready to be input."""

import re

import pandas as pd

from peft_pipelines.files.attempts import attempt
from peft_pipelines.reporting.table import MISSING, pairs, spread

SPECIAL = re.compile(r"([\\&%$#_{}~^])")
WORDS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def latex(results: pd.DataFrame) -> str:
    """One ``tabular`` a model: methods down, tasks across, percent; the highest score of a task is bold.

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
    tasks = pairs(rows, "task", "metric")
    methods = list(rows["method"].unique())
    means = rows.groupby(["method", "task"], sort=False)["primary"].mean()
    best = {task: means.xs(task, level="task").max() for task, _ in tasks}
    lines = [
        f"% {model}",
        rf"\begin{{tabular}}{{l{'r' * len(tasks)}}}",
        r"\toprule",
        " & ".join(["method", *[escaped(task) for task, _ in tasks]]) + r" \\",
        " & ".join(["", *[rf"\footnotesize {escaped(metric)}" for _, metric in tasks]]) + r" \\",
        r"\midrule",
    ]
    for method in methods:
        cells = [_cell(rows[(rows["method"] == method) & (rows["task"] == task)], best[task]) for task, _ in tasks]
        lines.append(" & ".join([escaped(method), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _cell(cells: pd.DataFrame, best: float) -> str:
    text = spread(cells["primary"], list(cells["status"]))
    if text == MISSING:
        return "--"
    number, *behind = text.split(" ", 1)
    shown = rf"\textbf{{{number}}}" if cells["primary"].mean() == best else number
    return " ".join([shown, *behind]).replace("±", r"$\pm$").replace("—", "--")


def escaped(text: str) -> str:
    """A text without what LaTeX would read as a command.

    >>> escaped("macro_f1 & 5 %")
    'macro\\\\_f1 \\\\& 5 \\\\%'
    """
    return SPECIAL.sub(lambda found: WORDS.get(found[1], f"\\{found[1]}"), text)
