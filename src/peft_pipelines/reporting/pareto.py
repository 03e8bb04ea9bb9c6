"""Scores against costs."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from peft_pipelines.evaluation.metrics.unit import Unit
from peft_pipelines.files.names import RANDOM
from peft_pipelines.files.status import Status
from peft_pipelines.reporting.label_placement import beside, positions
from peft_pipelines.reporting.plots import GRID, INK, LINE, PALE, SYMBOLS, dress
from peft_pipelines.reporting.scale import Scale, common

COST_AXES = {
    "trainable_parameters": "trainable parameters",
    "train_peak_memory_gb": "peak memory of training, GB",
    "generate_peak_memory_gb": "peak memory of answering, GB",
    "train_seconds": "training, wall seconds",
    "generate_seconds": "generation, wall seconds",
    "train_energy_wh": "energy of training, estimated, Wh",
    "checkpoint_bytes": "checkpoint, bytes",
}
"""The costs that a score may be held against."""
MOST_DECADES = 4
HEIGHT, ROOM = 480, 5.0


def plot_costs(results: pd.DataFrame) -> go.Figure:
    """Mean score of each method against its trainable parameters."""
    return pareto(results, "trainable_parameters")


def pareto(results: pd.DataFrame, cost: str) -> go.Figure:
    """Mean score of each method against one of ``COST_AXES``; what costs nothing is a line across, named at the right.

    A line joins the methods that no other one beats in score and cost at once. Error bars are 95 % intervals of the
    mean over tasks: of a single task that of the table. Of several tasks, whose test examples are drawn independently
    of each other, each end lies as far off as the root of the summed squares of the tasks' own ends (Zou and Donner
    2008). Tasks whose scores cannot be averaged with the others' are left out (see ``scale.common``). A method with a
    cell that failed or was not run has no mean: it is named beneath the axis, not drawn.
    """
    scale = common(results)
    means = _means(scale.of(results), cost, scale.unit)
    figure, several = go.Figure(), means["model"].nunique() > 1
    low, high = _range(means["score"] - means["below"].fillna(0), means["score"] + means["above"].fillna(0), scale.unit)
    costly, flat = means[means["cost"] > 0], means[~(means["cost"] > 0)]
    costly = costly.assign(side=_sides(costly, (low, high), list(flat["score"])))
    for symbol, (model, rows) in zip(cycle(SYMBOLS), costly.groupby("model", sort=False), strict=False):
        front = _front(rows, scale)
        figure.add_trace(go.Scatter(x=front["cost"], y=front["score"], mode="lines", line=LINE, showlegend=False))
        figure.add_trace(_points(rows, str(model), symbol))
    names = [
        f"{method}, {model}" if several else method for model, method in zip(flat["model"], flat["method"], strict=True)
    ]
    for score in flat["score"]:
        figure.add_hline(y=score, line=LINE, layer="below")
    for text, height in beside(names, list(flat["score"]), (high - low) * 0.05):
        figure.add_annotation(
            text=text, x=1, y=height, xref="paper", xanchor="left", align="left", xshift=4, showarrow=False
        )
    title = f"{COST_AXES[cost]}{_without_mean(scale.of(results))}"
    figure.update_xaxes(type="log", title=title, gridcolor=GRID, tickvals=_ticks(costly["cost"]), tickformat="~s")
    figure.update_xaxes(range=_padded(costly["cost"]))
    figure.update_yaxes(range=[low, high], title=_score_title(scale), gridcolor=GRID, zeroline=False)
    margin = {"r": 20 + 8 * max(map(len, names), default=0)}
    return dress(figure).update_layout(showlegend=several, height=HEIGHT, margin=margin)


def _front(rows: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """The methods that no other one beats in score and cost at once, cheapest first."""
    best = rows.sort_values("cost").assign(top=lambda part: (scale.sign * part["score"]).cummax())
    return best[scale.sign * best["score"] >= best["top"]].drop_duplicates("top")


def _score_title(scale: Scale) -> str:
    unit = "%" if scale.unit.in_percent else scale.unit.name
    return f"mean over tasks ({unit}{'' if scale.sign > 0 else '; lower is better'})"


def _means(results: pd.DataFrame, cost: str, unit: Unit) -> pd.DataFrame:
    rows = results[results["method"] != RANDOM].reindex(columns=[*results.columns.union([cost])])
    keys = ["model", "method"]
    means = rows.groupby(keys, sort=False).agg(
        score=("primary", lambda values: unit.factor * values.mean(skipna=False)), cost=(cost, "mean")
    )
    on_task = rows.groupby([*keys, "task"], sort=False)[["primary", "mean_low", "mean_high"]].mean()
    for side, end in {"below": "mean_low", "above": "mean_high"}.items():
        squares = ((on_task[end] - on_task["primary"]) ** 2).groupby(keys, sort=False)
        means[side] = unit.factor * np.sqrt(squares.sum()) / squares.size()
    return means[means["score"].notna()].reset_index()


def _range(lows: "pd.Series[float]", highs: "pd.Series[float]", unit: Unit) -> tuple[float, float]:
    """From a little below the lowest bar to a little above the highest, in the unit times its factor."""
    if lows.empty:
        return 0.0, 100.0
    low, high = float(lows.min()), float(highs.max())
    room = ROOM if unit.in_percent else (high - low or 1.0) * ROOM / 100
    return low - room, high + room


def _padded(costs: "pd.Series[float]") -> list[float] | None:
    """The range of a logarithmic axis, in powers of ten, with room for labels at both ends."""
    if costs.empty:
        return None
    low, high = np.log10(costs.min()), np.log10(costs.max())
    room = max(0.12, 0.08 * (high - low))
    return [float(low - room), float(high + 1.6 * room)]


def _ticks(costs: "pd.Series[float]") -> list[float]:
    """1, 2 and 5 of each power of ten; within one power all, over many only 1."""
    low, high = _padded(costs) or [0.0, 1.0]
    firsts: Sequence[int] = (1, 2, 5) if high - low <= MOST_DECADES else (1,)
    firsts = range(1, 10) if high - low < 1 else firsts
    return [first * 10.0**power for power in range(int(np.floor(low)), int(np.ceil(high)) + 1) for first in firsts]


def _points(rows: pd.DataFrame, model: str, symbol: str) -> go.Scatter:
    marker = {"symbol": symbol, "size": 11, "color": INK}
    bars = {"type": "data", "symmetric": False, "array": rows["above"], "arrayminus": rows["below"]}
    dots = go.Scatter(x=rows["cost"], y=rows["score"], text=rows["method"], mode="markers+text", name=model)
    return dots.update(
        marker=marker,
        error_y={**bars, "color": PALE, "thickness": 1},
        textposition=list(rows["side"]),
        cliponaxis=False,
    )


def _sides(rows: pd.DataFrame, heights: tuple[float, float], lines: Sequence[float]) -> list[str]:
    """On which side of its point each name stands, out of the way of the others and of lines across."""
    left, right = _padded(rows["cost"]) or (0.0, 1.0)
    low, high = heights
    places = [
        ((np.log10(cost) - left) / (right - left), (score - low) / (high - low))
        for cost, score in zip(rows["cost"], rows["score"], strict=True)
    ]
    return positions(places, list(rows["method"]), [(score - low) / (high - low) for score in lines])


def _without_mean(results: pd.DataFrame) -> str:
    """`` (failed: a; not run: b)``: each method once, under the worst of its cells; nothing where all are done."""
    named: set[str] = set()
    parts = []
    for status in (Status.FAILED, Status.NOT_RUN):
        rows = results[(results["status"] == status) & (results["method"] != RANDOM)]
        methods = [name for name in rows["method"].unique() if name not in named]
        named.update(methods)
        parts += [f"{status}: {', '.join(methods)}"] if methods else []
    return f" ({'; '.join(parts)})" if parts else ""
