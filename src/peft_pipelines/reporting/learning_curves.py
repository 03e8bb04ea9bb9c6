"""Plots of validation loss by step, and by learning rate where there was a learning-rate search."""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from peft_pipelines.files.attempts import attempt
from peft_pipelines.reporting.collect import given
from peft_pipelines.reporting.plots import GRID, SYMBOLS, dress

COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9")
DASHES = ("solid", "dot", "dash", "longdash", "dashdot")
PANELS = 3

Detail = Mapping[str, Any]
Methods = Mapping[str, Mapping[str, Detail]]
Line = tuple[list[float], list[Any], list[str]]
"""Places, heights (numbers or names) and the words that are shown on hovering."""
RATES = [first * 10.0**power for power in range(-7, 2) for first in (1, 3)]


def plot_curves(**parts: Any) -> go.Figure:
    """Validation loss by step: a panel a model and task, a line a method (its first seed).

    Where validation was scored but once in every cell there is nothing to join: then a dot a method, its loss across.

    Args:
        parts: ``details.<method>``: what ``details`` made of each method's cells, or None. Each cell is an attempt.
    """
    panels = _lines(given(parts, "details"), _curve)
    if all(len(points[0]) == 1 for lines in panels.values() for points in lines.values()):
        panels = {
            panel: {method: (points[1], [method], points[2]) for method, points in lines.items()}
            for panel, lines in panels.items()
        }
        figure = _panels(panels, "validation loss after training", given(parts, "details"), named=True)
        figure.update_yaxes(autorange="reversed", dtick=1)
        return figure.update_layout(showlegend=False)
    return _panels(panels, "step", given(parts, "details"))


def plot_lr_search(**parts: Any) -> go.Figure:
    """Validation loss by learning rate: a panel a model and task, a line a method; the chosen rate is a full dot."""
    figure = _panels(_lines(given(parts, "details"), _lr_search), "learning rate", given(parts, "details"))
    return figure.update_xaxes(type="log", tickvals=RATES, tickformat="~e")


def _curve(detail: Detail) -> Line:
    points = [entry for entry in detail["curve"] if "validation_loss" in entry]
    return [entry["step"] for entry in points], [entry["validation_loss"] for entry in points], ["" for _ in points]


def _lr_search(detail: Detail) -> Line:
    trials = [trial for trial in detail["lr_search"] if trial["validation_loss"] is not None]
    trials = trials if len(detail["lr_search"]) > 1 else []
    return (
        [trial["learning_rate"] for trial in trials],
        [trial["validation_loss"] for trial in trials],
        ["chosen" if trial["chosen"] else "" for trial in trials],
    )


def _lines(methods: Methods, line: Callable[[Detail], Line]) -> dict[str, dict[str, Line]]:
    """By panel and method the points of the first seed that has any."""
    models = {cell.split(".")[0] for cells in methods.values() for cell in cells}
    found: dict[str, dict[str, Line]] = {}
    for method, cells in methods.items():
        for cell, detail in cells.items():
            model, task, _ = cell.split(".")
            panel = f"{model} · {task}" if len(models) > 1 else task
            with attempt(f"{method}.{cell}"):
                points = line(detail)
                if points[0]:
                    found.setdefault(panel, {}).setdefault(method, points)
    return found


def _panels(
    panels: Mapping[str, Mapping[str, Line]], title: str, methods: Methods, *, named: bool = False
) -> go.Figure:
    if not panels:
        nothing = go.Figure().add_annotation(text="nothing to show", showarrow=False)
        nothing.update_xaxes(visible=False).update_yaxes(visible=False)
        return dress(nothing).update_layout(height=160)
    height = -(-len(panels) // PANELS)
    tall = 90 + (22 * max(map(len, panels.values())) if named else 170)
    pixels, columns = 120 + tall * height, min(len(panels), PANELS)
    spacing = {"vertical_spacing": 80 / pixels}
    figure = make_subplots(height, columns, subplot_titles=list(panels), shared_yaxes=named, **spacing)
    styles = {method: _style(place) for place, method in enumerate(methods)}
    shown: set[str] = set()
    for number, lines in enumerate(panels.values()):
        for method, points in lines.items():
            trace = _trace(method, points, styles[method]).update(showlegend=method not in shown)
            figure.add_trace(trace, row=number // PANELS + 1, col=number % PANELS + 1)
            shown.add(method)
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    figure.update_xaxes(title_text=title, row=height, col=1)
    return dress(figure).update_layout(height=pixels)


def _style(place: int) -> dict[str, Any]:
    colours, dashes, symbols = cycle(COLOURS), cycle(DASHES), cycle(SYMBOLS)
    for _ in range(place):
        next(colours), next(dashes), next(symbols)
    return {"color": next(colours), "dash": next(dashes), "symbol": next(symbols)}


def _trace(method: str, points: Line, style: dict[str, Any]) -> go.Scatter:
    x, y, words = points
    marker = {
        "symbol": [style["symbol"] if word or not any(words) else f"{style['symbol']}-open" for word in words],
        "size": [11 if word else 7 for word in words],
        "color": style["color"],
    }
    line = {"color": style["color"], "dash": style["dash"]}
    trace = go.Scatter(x=x, y=y, mode="lines+markers", name=method, legendgroup=method, hovertext=words)
    return trace.update(marker=marker, line=line)
