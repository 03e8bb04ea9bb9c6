"""Ranks of methods over all tasks: average ranks, Friedman's test, Nemenyi's critical difference."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from peft_pipelines.evaluation.statistics import alike_ranks, average_ranks, critical_difference, friedman
from peft_pipelines.evaluation.statistics.ranks import FEWEST_METHODS, FEWEST_TASKS
from peft_pipelines.files.attempts import attempt
from peft_pipelines.reporting.plots import GRID, INK, PALE, dress
from peft_pipelines.reporting.scale import GUESSES, by_model, metrics_of
from peft_pipelines.reporting.warning_signs import CUT_OFF

BAR_ROOM, MOST_ROOM = 0.04, 0.3
"""Of the plot's width, what one line between methods takes and what all may take."""


def rank(results: pd.DataFrame) -> tuple[list[dict[str, Any]], go.Figure]:
    """The ranks of each model's methods over its tasks, and the first model's critical-difference diagram.

    Rank 1 is the best score of a task, be it the highest or the lowest. A method without a score on each task is left
    out, and named. With fewer than three methods or two tasks there are no ranks. Each model is an attempt of its
    own.
    """
    entries: list[dict[str, Any]] = []
    for model, rows in by_model(results).items():
        with attempt(model):
            entries.append(_of_model(model, rows))
    first = next((entry for entry in entries if entry["model"] == results["model"].iloc[0]), None)
    return entries, go.Figure() if first is None else diagram(first)


def _of_model(model: str, rows: pd.DataFrame) -> dict[str, Any]:
    trained = rows[~rows["method"].isin(GUESSES)]
    means = trained.pivot_table(index="method", columns="task", values="primary", aggfunc="mean", sort=False)
    tasks = list(trained["task"].unique())
    signs = pd.Series({task: metric.sign for task, metric in metrics_of(trained).items()}, dtype=float)
    whole = means.reindex(columns=tasks).dropna() * signs.reindex(tasks)
    left_out = [name for name in trained["method"].unique() if name not in whole.index]
    found = {"model": model, "tasks": tasks, "left_out": left_out}
    if len(whole) < FEWEST_METHODS or len(tasks) < FEWEST_TASKS:
        return found
    scores = {str(name): list(values) for name, values in zip(whole.index, whole.to_numpy(), strict=True)}
    ranks, difference = average_ranks(scores), critical_difference(len(scores), len(tasks))
    return {
        **found,
        "ranks": dict(sorted(ranks.items(), key=lambda pair: pair[1])),
        "friedman": asdict(friedman(scores)),
        "critical_difference": difference,
        "cut_off": [name for name in ranks if trained[trained["method"] == name]["marks"].str.contains(CUT_OFF).any()],
        "alike": [list(names) for names in alike_ranks(ranks, difference)],
    }


def diagram(entry: dict[str, Any]) -> go.Figure:
    """Demšar's critical-difference diagram: a line over methods joins those whose ranks do not differ significantly."""
    figure = go.Figure()
    ranks: dict[str, float] = entry.get("ranks", {})
    if not ranks:
        note = {"text": "needs three methods with scores on two tasks", "showarrow": False}
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
        return dress(figure.add_annotation(**note)).update_layout(height=160)
    names = list(ranks)
    figure.add_trace(
        go.Scatter(
            x=[ranks[name] for name in names],
            y=names,
            mode="markers+text",
            text=[f"{ranks[name]:.2f}" for name in names],
            textposition="middle right",
            marker={"size": 10, "color": INK},
            hoverinfo="x+y",
            showlegend=False,
        )
    )
    for place, members in enumerate(entry["alike"], 1):
        figure.add_trace(_bar(place, members))
    bars = max(1, len(entry["alike"]))
    scale = {"range": [0.5, len(names) + 0.5], "tickvals": list(range(1, len(names) + 1)), "gridcolor": GRID}
    edge = 1 - min(MOST_ROOM, BAR_ROOM * bars)
    figure.update_layout(xaxis={**scale, "title": _axis_title(entry), "zeroline": False, "domain": [0, edge]})
    figure.update_layout(xaxis2={"domain": [edge, 1], "range": [0.25, bars + 0.25], "visible": False})
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], gridcolor=GRID)
    return dress(figure).update_layout(height=140 + 24 * len(names))


def _axis_title(entry: dict[str, Any]) -> str:
    difference = f"{entry['critical_difference']:.2f}"
    return (
        f"average rank, 1 is best; a line at the right joins methods less than {difference} apart, which do not differ "
        "significantly"
    )


def _bar(x: float, members: Sequence[str]) -> go.Scatter:
    """A line right of the scale of ranks, from the best to the last of the methods that it joins."""
    ends = {"symbol": "line-ew", "size": 8, "line": {"color": PALE, "width": 2}}
    bar = go.Scatter(x=[x, x], y=[members[0], members[-1]], mode="lines+markers", marker=ends, xaxis="x2")
    return bar.update(line={"color": PALE, "width": 2}, hovertext=", ".join(members), showlegend=False)
