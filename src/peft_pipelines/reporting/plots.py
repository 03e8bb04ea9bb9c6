"""The scores as a picture that reads without colour, and the look of all pictures."""

from itertools import cycle
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from peft_pipelines.evaluation.metrics.unit import Unit
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.names import MAJORITY
from peft_pipelines.reporting.scale import arrow, metrics_of
from peft_pipelines.reporting.table import ends_of, lost

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "pentagon")
INK, PALE, GRID = "#222222", "#999999", "#dddddd"
LINE = {"dash": "dash", "color": PALE}
PANELS, STEP = 4, 25


def plot(results: pd.DataFrame) -> go.Figure:
    """One panel a task, one line a method, one dot a seed (a symbol a model), one bar a method: the table's interval.

    The dashed line is the majority answer. A cell that failed is a word at zero, one that was not run a dash: neither
    is a gap. Each task is an attempt of its own.
    """
    methods, tasks = list(results["method"].unique()), metrics_of(results)
    lines = -(-len(tasks) // PANELS)
    titles = [f"{task}<br><sup>{metric.name}{arrow(metric)}</sup>" for task, metric in tasks.items()]
    figure = make_subplots(lines, min(len(tasks), PANELS), shared_yaxes=True, subplot_titles=titles)
    for number, (task, metric) in enumerate(tasks.items()):
        place = {"row": number // PANELS + 1, "col": number % PANELS + 1}
        with attempt(str(task)):
            _panel(figure, results[results["task"] == task], place, metric.unit, legend=number == 0)
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    for number, (task, metric) in enumerate(tasks.items()):
        axis = _axis(results[results["task"] == task], metric.unit)
        figure.update_xaxes(**axis, row=number // PANELS + 1, col=number % PANELS + 1)
    figure.update_yaxes(categoryorder="array", categoryarray=methods[::-1], gridcolor=GRID)
    first = list(tasks.values())[(lines - 1) * PANELS].unit
    unit = "percent" if first.in_percent else first.name
    figure.update_xaxes(title_text=f"{unit}; dashed: majority", row=lines, col=1)
    return dress(figure).update_layout(
        height=140 + lines * (90 + 26 * len(methods)), showlegend=results["model"].nunique() > 1
    )


def _axis(rows: pd.DataFrame, unit: Unit) -> dict[str, Any]:
    """The axis of one task: from 0 to 100 percent, or from as far below 0 as its scores or their bars go."""
    if not unit.in_percent:
        return {"rangemode": "tozero", "title": unit.name}
    values = rows.reindex(columns=["primary", "mean_low"]).to_numpy(dtype=float, na_value=np.nan)
    first = -STEP * ceil(-unit.factor * np.nanmin(values, initial=0.0) / STEP)
    return {"range": [first - 4, 104], "tickvals": [*range(first, 101, STEP)]}


def _panel(figure: go.Figure, rows: pd.DataFrame, place: dict[str, int], unit: Unit, *, legend: bool) -> None:
    """Draw one task."""
    for symbol, (model, cells) in zip(cycle(SYMBOLS), rows.groupby("model", sort=False), strict=False):
        done = cells[cells["primary"].notna()]
        figure.add_trace(_bars(done, unit), **place)
        figure.add_trace(_dots(done, str(model), symbol, legend, unit), **place)
    figure.add_trace(_words(rows[rows["primary"].isna()]), **place)
    common = rows[rows["method"] == MAJORITY]["primary"].dropna()
    for score in common[:1]:
        figure.add_vline(x=unit.factor * score, line=LINE, layer="below", **place)


def _bars(cells: pd.DataFrame, unit: Unit) -> go.Scatter:
    """The interval of each method's mean over seeds."""
    groups = {str(method): rows for method, rows in cells.groupby("method", sort=False)}
    found = {method: (ends, rows["primary"].mean()) for method, rows in groups.items() if (ends := ends_of(rows))}
    bars = {
        "array": [unit.factor * (high - mean) for (_, high), mean in found.values()],
        "arrayminus": [unit.factor * (mean - low) for (low, _), mean in found.values()],
        **{"type": "data", "color": PALE, "thickness": 1},
    }
    means = [unit.factor * mean for _, mean in found.values()]
    return go.Scatter(x=means, y=list(found), mode="markers", marker={"opacity": 0}, error_x=bars).update(
        showlegend=False, hoverinfo="skip"
    )


def _dots(cells: pd.DataFrame, model: str, symbol: str, legend: bool, unit: Unit) -> go.Scatter:
    return go.Scatter(
        x=cells["primary"] * unit.factor,
        y=cells["method"],
        name=model,
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": INK},
        showlegend=legend,
        legendgroup=model,
        hovertext=cells["seed"],
    )


def _words(cells: pd.DataFrame) -> go.Scatter:
    words = [lost([status]) for status in cells["status"]]
    text = go.Scatter(x=[0] * len(cells), y=cells["method"], mode="text", text=words, showlegend=False)
    return text.update(textposition="middle right")


def dress(figure: go.Figure) -> go.Figure:
    """The look that all plots share."""
    margin = {"l": 10, "r": 20, "t": 60}  # and no title: kedro-viz writes one across the plot
    return figure.update_layout(template="plotly_white", font={"color": INK}, margin=margin)
