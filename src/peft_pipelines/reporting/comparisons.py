"""Which differences between methods are more than noise: paired on the same test items, adjusted over the table."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from typing import Any

import pandas as pd

from peft_pipelines.config import TaskSpec
from peft_pipelines.evaluation.score import resampled
from peft_pipelines.evaluation.statistics import ALPHA, comparison, holm, interval, letters
from peft_pipelines.files.names import MAJORITY, arguments
from peft_pipelines.reporting.details import items_digest

KEYS = ("model", "task", "first", "second")


def compare(**parts: Any) -> list[dict[str, Any]]:
    """Each method's score on each task with its interval, and each two methods' difference with its test.

    All seeds of a method count together: a resample draws items once for all of them. Methods stand best first; the
    majority answer is one of them. Answers to other items than the task's own now are left out.

    Args:
        parts: ``answers.<method>``: what ``details`` made of a method's cells; ``majority``: the rows of the majority
            answers; ``task.<name>`` and ``prompts.<name>``: the row and the prompts of each task.

    Returns:
        One entry a model and task: ``model``, ``task``, ``metric``, ``scores`` (by method) and ``pairs``.
    """
    tasks, prompts = arguments(parts, "task"), arguments(parts, "prompts")
    rows = {name: splits["test"].to_pylist() for name, splits in prompts.items()}
    items = {name: items_digest(found) for name, found in rows.items()}
    answers: dict[tuple[str, str], dict[str, list[list[str]]]] = {
        (row["model"], row["task"]): {MAJORITY: [[row["answer"]] * len(rows[row["task"]])]} for row in parts["majority"]
    }
    for method, cells in arguments(parts, "answers").items():
        for cell, found in cells.items():
            model, task, _ = cell.split(".")
            if found["items"] == items[task]:
                answers[model, task].setdefault(method, []).append(found["answers"])
    return [
        {"model": model, "task": task, **_of_task(tasks[task], methods, rows[task])}
        for (model, task), methods in answers.items()
    ]


def _of_task(task: TaskSpec, answers: Mapping[str, list[list[str]]], rows: list[dict[str, Any]]) -> dict[str, Any]:
    scores = resampled(task, answers, rows)
    best_first = sorted(scores, key=lambda name: -scores[name].resamples.value)
    pairs = [
        {"first": a, "second": b, **asdict(comparison(scores[a], scores[b]))} for a, b in combinations(best_first, 2)
    ]
    intervals = {name: asdict(interval(scores[name])) for name in best_first}
    return {"metric": task.primary, "scores": intervals, "pairs": pairs}


def judge(comparisons: list[dict[str, Any]]) -> pd.DataFrame:
    """All pairs of all tasks as one frame, with ``p_holm``: adjusted over all pairs of a model's table."""
    pairs = [
        {"model": entry["model"], "task": entry["task"], "metric": entry["metric"], **pair}
        for entry in comparisons
        for pair in entry["pairs"]
    ]
    columns = [*KEYS, "metric", "difference", "low", "high", "p", "p_holm", "detectable", "error", "n", "units", "test"]
    if not pairs:
        return pd.DataFrame(columns=columns)
    table = pd.DataFrame(pairs)
    for _, rows in table.groupby("model", sort=False):
        table.loc[rows.index, "p_holm"] = pd.Series(holm(dict(rows["p"])))
    return table[columns]


def groups(differences: pd.DataFrame, model: str, task: str) -> dict[str, str]:
    """The letters of each method on a task, best first: those that share one were not told apart."""
    rows = differences[(differences["model"] == model) & (differences["task"] == task)]
    names = list(dict.fromkeys([*rows["first"], *rows["second"]]))
    adjusted = dict(zip(zip(rows["first"], rows["second"], strict=True), rows["p_holm"], strict=True))
    return letters(names, adjusted)


def like_majority(differences: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Model, task and method of the scores that are not told apart from the majority answer's, or are below it."""
    with_it = differences[(differences["first"] == MAJORITY) | (differences["second"] == MAJORITY)]
    better = (with_it["second"] == MAJORITY) & (with_it["p_holm"] < ALPHA)
    rows = with_it[~better]
    others = rows["first"].where(rows["first"] != MAJORITY, rows["second"])
    return set(zip(rows["model"], rows["task"], others, strict=True))
