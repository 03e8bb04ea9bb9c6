"""The comparisons under the metrics that do not stand first in a task's row, for the page's switch."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from peft_pipelines.evaluation.metrics.registry import METRICS, quantity
from peft_pipelines.files.names import MAJORITY
from peft_pipelines.reporting.comparisons import compare_by
from peft_pipelines.reporting.scale import GUESSES
from peft_pipelines.reporting.warning_signs import LIKE_MAJORITY, TRUNCATED, together, written_marks

Bounds = Mapping[tuple[str, str, str], Mapping[str, Any]]


def compare_others(**parts: Any) -> list[dict[str, Any]]:
    """The entries of ``compare`` under each other metric of a task's row that may stand for it and resamples fast.

    Args:
        parts: as for ``compare_by``.
    """
    return compare_by(lambda task: [name for name in task.metrics[1:] if METRICS[name].cheap], parts)


def others_of(results: pd.DataFrame) -> dict[str, list[str]]:
    """By metric that may stand for a task, the tasks with numbers of it for which it does not stand."""
    own = dict(zip(results["task"], results["metric"], strict=True))
    named = [name for name, metric in METRICS.items() if metric.primary and name in results]
    found = {name: results.loc[results[name].notna(), "task"].unique() for name in named}
    having = {name: [task for task in tasks if own[task] != name] for name, tasks in found.items()}
    return {name: tasks for name, tasks in having.items() if tasks}


def under(
    results: pd.DataFrame, metric: str, tasks: Sequence[str], bounds: Bounds, alike: set[tuple[str, str, str]]
) -> pd.DataFrame:
    """The results as ``tabulate`` makes them where a metric stands first in the rows of some tasks.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        metric: the metric.
        tasks: the tasks.
        bounds: by model, task and method the interval of the mean over seeds.
        alike: what is like the majority's answers then (see ``comparisons.like_majority``).
    """
    changed, here = results.copy(), results["task"].isin(tasks)
    keys = list(zip(changed["model"], changed["task"], changed["method"], strict=True))
    changed.loc[here, "metric"] = metric
    changed.loc[here, "primary"] = changed.loc[here, metric]
    for end in ("low", "high"):
        found = pd.Series([bounds.get(key, {}).get(end) for key in keys], index=changed.index, dtype=float)
        for name in (f"primary_{end}", f"mean_{end}"):
            changed.loc[here, name] = found[here]
    common = dict(zip(keys, changed["primary"], strict=True))
    changed["marks"] = [
        row["marks"]
        if key[2] in GUESSES
        else _marked(row, key in alike or _worse(row["metric"], row["primary"], common, key))
        for key, row in zip(keys, changed.to_dict("records"), strict=True)
    ]
    return changed


def _worse(metric: str, score: float, common: Mapping[Any, float], key: tuple[str, str, str]) -> bool:
    """Whether a score is no better than the majority answer's."""
    majority = common.get((*key[:2], MAJORITY), float("nan"))
    return not (pd.isna(score) or pd.isna(majority) or quantity(metric).better(score, majority))


def _marked(row: Mapping[Any, Any], like_majority: bool) -> str:
    """The signs of a row under its metric; a cell without numbers has none."""
    if pd.isna(row["marks"]):
        return ""
    kept = TRUNCATED if TRUNCATED in row["marks"] else ""
    return together([written_marks(row), LIKE_MAJORITY if like_majority else "", kept])
