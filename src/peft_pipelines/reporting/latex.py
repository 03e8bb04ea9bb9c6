"""The scores as LaTeX tables (packages booktabs and graphicx), ready to be input."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import ceil

import pandas as pd

from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.escape import for_latex, for_terminal
from peft_pipelines.reporting.scale import best_scores, by_model, is_best, metrics_of
from peft_pipelines.reporting.table import MISSING, bounded
from peft_pipelines.reporting.warning_signs import CUT_OFF, LEAK, LIKE_MAJORITY, MARKS, TRUNCATED, together

SIGNS = dict(zip(MARKS, MARKS, strict=True)) | {
    CUT_OFF: r"$\ldots$",
    LIKE_MAJORITY: r"$\approx$",
    TRUNCATED: r"$\dagger$",
    LEAK: r"$\ddagger$",
}
"""The signs beside a score, as LaTeX has them."""
TASKS, METHODS = 4, 20
"""The most columns of scores and the most methods of a tabular: so many fit on a page of the class article."""
CLOSER, APART = "[-3pt]", "[2pt]"
"""More or less space under a line: what stands beneath a score belongs to it."""
AS_WIDE_AS_THE_LINE_AT_MOST = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"


def latex(results: pd.DataFrame) -> str:
    """Methods down, tasks across, in one ``tabular`` or several a model; a task's best score of a tuned method is bold.

    Behind a score stand the standard deviation over seeds, where there are several, and the signs of warning_signs.py,
    which comments explain; beneath it the number of seeds and the 95 % interval. A tabular that is wider than the line
    is made smaller. Each model is an attempt of its own.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
    """
    parts: list[str] = []
    for model, rows in by_model(results).items():
        with attempt(model):
            parts.append(_model(model, rows))
    return "% needs \\usepackage{booktabs,graphicx}\n" + "\n".join(parts)


def _model(model: str, rows: pd.DataFrame) -> str:
    tasks, signs = metrics_of(rows), together(rows["marks"].dropna())
    notes = [f"% {for_terminal(model)}", *[f"% {SIGNS[sign]} {text}" for sign, text in MARKS.items() if sign in signs]]
    parts = product(_even(list(tasks), TASKS), _even(list(rows["method"].unique()), METHODS))
    tabulars = [_tabular(model, rows, {task: tasks[task] for task in some}, methods) for some, methods in parts]
    return "\n".join([*notes, "\n\\medskip\n".join(tabulars)])


def _even(names: Sequence[str], most: int) -> list[Sequence[str]]:
    """Names in as few groups as have at most so many each, the groups of about the same size.

    >>> _even("abcde", 4)
    ['abc', 'de']
    """
    size = ceil(len(names) / ceil(len(names) / most))
    return [names[place : place + size] for place in range(0, len(names), size)]


def _tabular(model: str, rows: pd.DataFrame, tasks: Mapping[str, Quantity], methods: Sequence[str]) -> str:
    best = best_scores(rows, tasks)
    metrics = [for_latex(metric.name) + _arrow(metric) for metric in tasks.values()]
    lines = [
        rf"\noindent{AS_WIDE_AS_THE_LINE_AT_MOST}{{%",
        rf"\begin{{tabular}}{{l{'r' * len(tasks)}}}",
        r"\toprule",
        _line(["method", *map(for_latex, tasks)]),
        _line(_in(r"\footnotesize", [for_latex(model), *metrics])),
        r"\midrule",
    ]
    for method in methods:
        own = rows[rows["method"] == method]
        cells = [_cell(own[own["task"] == task], metric, best[task]) for task, metric in tasks.items()]
        beneath = any(text for _, text in cells)
        lines.append(_line([for_latex(method), *[score for score, _ in cells]], CLOSER if beneath else APART))
        if beneath:
            lines.append(_line(["", *_in(r"\scriptsize", [text for _, text in cells])], APART))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}%", ""])


def _line(texts: Iterable[str], space: str = "") -> str:
    return rf"{' & '.join(texts)} \\{space}"


def _in(size: str, texts: Iterable[str]) -> list[str]:
    return [text and f"{size} {text}" for text in texts]


def _arrow(metric: Quantity) -> str:
    return "" if metric.higher_is_better else r" $\downarrow$"


def _cell(cells: pd.DataFrame, metric: Quantity, best: float) -> tuple[str, str]:
    """The score with what stands behind it, and what stands beneath it."""
    text = bounded(cells, metric.unit)
    if text == MISSING:
        return "--", ""
    head, *behind = re.split(r" (?=[(\[])", text, maxsplit=1)
    number, *deviation = head.split(" ", 1)
    shown = rf"\textbf{{{number}}}" if is_best(cells, best) else number
    signs = "".join(SIGNS[sign] for sign in together(cells["marks"].dropna()))
    marks = [rf"\textsuperscript{{{signs}}}"] if signs else []
    return _minus(" ".join([shown, *deviation]) + "".join(marks)), _minus("".join(behind))


def _minus(text: str) -> str:
    """Numbers with the signs of mathematics, in place of hyphens and the one of Unicode."""
    return re.sub(r"-(?=\d)", "$-$", text).replace("±", r"$\pm$")
