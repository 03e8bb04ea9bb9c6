"""The result table: one row a cell, baselines in the same table."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from peft_pipelines.io import Splits
from peft_pipelines.metrics.baselines import majority_answer
from peft_pipelines.pipelines.cells.nodes import task_scores
from peft_pipelines.specs import TaskSpec

MAJORITY = "majority"
KEY = ["model", "task", "method", "seed"]


def majority(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores of always giving the most frequent answer of the training rows."""
    answer = majority_answer([row["references"] for row in prompts["train"].to_pylist()])
    predictions = [{**row, "prediction": answer} for row in prompts["test"].to_pylist()]
    return {"answer": answer, **task_scores(predictions, task)}


def tabulate(**parts: Any) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """All rows as a frame (for Parquet and for CSV) and the table that people read.

    Args:
        parts: ``method.<name>``: the rows of a method's cells; ``task.<name>``: a task's majority scores.
    """
    found = _part(parts, "method")
    rows = [{"method": method, **row} for method, cells in found.items() for row in cells]
    models = list(dict.fromkeys(row["model"] for row in rows))
    constant = [
        {"model": model, "task": task, "method": MAJORITY, "seed": "-", "status": "done", **scores}
        for task, scores in _part(parts, "task").items()
        for model in models
    ]
    frame = pd.DataFrame(constant + rows)
    frame = frame[KEY + [column for column in frame.columns if column not in KEY]]
    return frame, frame, markdown(frame)


def _part(parts: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name.partition(".")[2]: value for name, value in parts.items() if name.startswith(f"{kind}.")}


def markdown(frame: pd.DataFrame) -> str:
    """Methods down, tasks across, the primary metric in percent."""
    lines = []
    for model, group in frame.groupby("model", sort=False):
        metric = group.groupby("task", sort=False)["metric"].first()
        scores = group.pivot_table(index="method", columns="task", values="primary", sort=False) * 100
        lines += [f"### {model}", "", "| method | " + " | ".join(f"{task} ({metric[task]})" for task in scores) + " |"]
        lines += ["|---" * (len(scores.columns) + 1) + "|"]
        lines += [f"| {name} | " + " | ".join(f"{value:.1f}" for value in row) + " |" for name, row in scores.iterrows()]
    return "\n".join(lines) + "\n"


def plot(results: pd.DataFrame) -> go.Figure:
    """Score by task, one bar a method."""
    figure = go.Figure()
    for method, rows in results.groupby("method", sort=False):
        figure.add_bar(name=method, x=rows["task"], y=rows["primary"] * 100)
    return figure.update_layout(barmode="group", yaxis_title="primary metric (%)", xaxis_title="task")
