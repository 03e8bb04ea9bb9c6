"""Two pictures of the results that read without colour."""

from itertools import cycle

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from peft_pipelines.pipelines.report.table import FAILED, NOT_RUN, lost

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "pentagon")
INK, GRID = "#222222", "#dddddd"
LINE = {"dash": "dash", "color": "#999999"}
TICKS = [first * 10**power for power in range(2, 12) for first in (1, 3)]
PANELS = 4


def plot(results: pd.DataFrame) -> go.Figure:
    """One panel a task, one line a method, one dot a seed (a symbol a model); the dashed line is the majority answer.

    A cell that failed is a word at zero, one that was not run a dash; neither is a gap.
    """
    methods, tasks = list(results["method"].unique()), list(results["task"].unique())
    lines = -(-len(tasks) // PANELS)
    titles = [
        f"{task}<br><sup>{metric}</sup>"
        for task, metric in results.groupby("task", sort=False)["metric"].first().items()
    ]
    figure = make_subplots(lines, min(len(tasks), PANELS), shared_yaxes=True, subplot_titles=titles)
    for number, task in enumerate(tasks):
        place = {"row": number // PANELS + 1, "col": number % PANELS + 1}
        rows = results[results["task"] == task]
        for symbol, (model, cells) in zip(cycle(SYMBOLS), rows.groupby("model", sort=False), strict=False):
            figure.add_trace(_dots(cells[cells["primary"].notna()], model, symbol, number == 0), **place)
        figure.add_trace(_words(rows[rows["primary"].isna()]), **place)
        figure.add_vline(x=100 * rows["primary"].iloc[0], line=LINE, layer="below", **place)
    figure.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100], gridcolor=GRID, zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=methods[::-1], gridcolor=GRID)
    figure.update_xaxes(title_text="percent; dashed: majority", row=lines, col=1)
    return _dress(figure).update_layout(
        height=140 + lines * (90 + 26 * len(methods)), showlegend=results["model"].nunique() > 1
    )


def _dots(cells: pd.DataFrame, model: str, symbol: str, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=cells["primary"] * 100,
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


def plot_costs(results: pd.DataFrame) -> go.Figure:
    """Mean score of each method against its trainable parameters; what trains nothing is a line across.

    A method with a cell that failed or was not run has no mean: it is named beneath the axis, not drawn.
    """
    groups = results.groupby(["model", "method"], sort=False)
    means = groups.agg(
        score=("primary", lambda values: 100 * values.mean(skipna=False)),
        parameters=("trainable_parameters", "mean"),
    ).reset_index()
    whole = means[means["score"].notna()]
    trained, flat = whole[whole["parameters"] > 0], whole[~(whole["parameters"] > 0)]
    figure = go.Figure()
    for symbol, (model, rows) in zip(cycle(SYMBOLS), trained.groupby("model", sort=False), strict=False):
        marker = {"symbol": symbol, "size": 11, "color": INK}
        dots = go.Scatter(x=rows["parameters"], y=rows["score"], text=rows["method"], mode="markers+text", name=model)
        figure.add_trace(dots.update(marker=marker, textposition="top center", cliponaxis=False))
    several = means["model"].nunique() > 1
    for model, method, score in zip(flat["model"], flat["method"], flat["score"], strict=True):
        name = f"{method}, {model}" if several else method
        figure.add_hline(y=score, line=LINE, layer="below", annotation_text=name)
    title = f"trainable parameters{_without_mean(results)}"
    figure.update_xaxes(type="log", title=title, gridcolor=GRID, tickvals=TICKS, tickformat=",d")
    figure.update_yaxes(range=[-4, 104], title="mean over tasks (%)", gridcolor=GRID, zeroline=False)
    return _dress(figure).update_layout(showlegend=several)


def _without_mean(results: pd.DataFrame) -> str:
    """`` (failed: a; not run: b)``: each method once, under the worst of its cells; nothing where all are done."""
    named: set[str] = set()
    parts = []
    for status in (FAILED, NOT_RUN):
        methods = [name for name in results["method"][results["status"] == status].unique() if name not in named]
        named.update(methods)
        parts += [f"{status}: {', '.join(methods)}"] if methods else []
    return f" ({'; '.join(parts)})" if parts else ""


def _dress(figure: go.Figure) -> go.Figure:
    margin = {"l": 10, "r": 20, "t": 60}  # and no title: kedro-viz writes one across the plot
    return figure.update_layout(template="plotly_white", font={"color": INK}, margin=margin)
