"""Significance of the differences between methods: paired on the same test items, adjusted over the table."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from statistics import fmean
from typing import Any, Final

import pandas as pd

from peft_pipelines.config import TaskSpec
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.score import resampled
from peft_pipelines.evaluation.statistics import ALPHA, FEWEST_SEEDS, Score, comparison, holm, interval, letters
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.names import MAJORITY, arguments
from peft_pipelines.reporting.collect import given
from peft_pipelines.reporting.details import items_digest
from peft_pipelines.reporting.scale import by_model
from peft_pipelines.reporting.warning_signs import is_cut_off

KEYS = ("model", "task", "first", "second")
_TEST = ("difference", "low", "high", "p", "p_holm", "about", "detectable", "error", "n", "units", "seeds", "test")
DIFFERENCES = (*KEYS, "metric", *_TEST)
"""The columns of the frame of differences."""
OF_CHECKPOINTS = (
    f"With fewer than {FEWEST_SEEDS} seeds a difference is one between these checkpoints, not between methods: another "
    "seed may turn it round."
)
UNTESTED: Final = {"p": None, "test": "cut_off"}
"""In place of a test where the worse of two methods had its answers cut off: the limit may be what makes it worse."""


def compare(**parts: Any) -> list[dict[str, Any]]:
    """Each method's score on each task with its interval, and each two methods' difference with its test.

    Args:
        parts: as for ``compare_by``.
    """
    return compare_by(lambda task: (task.primary,), parts)


def compare_by(metrics: Callable[[TaskSpec], Sequence[str]], parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores and differences by several metrics of each task, whose resamples are drawn once for all of them.

    All seeds of a method count together: a resample draws items once for all of them. Methods stand best first; the
    majority answer is one of them. That and the answers of a method that draws nothing count as given by each seed.
    Answers to other items than the task's own now are left out, and so is what is None. Each model and task is an
    attempt of its own.

    Args:
        metrics: from a task's row to the names of the metrics; without any the task is left out.
        parts: ``answers.<method>``: the answers that ``details`` made of a method's cells; ``majority``: the rows of
            the majority answers; ``task.<name>`` and ``prompts.<name>``: the row and the prompts of each task.

    Returns:
        One entry a model, task and metric: ``model``, ``task``, ``metric``, ``scores`` (by method) and ``pairs``.
    """
    tasks, prompts, answers = arguments(parts, "task"), arguments(parts, "prompts"), given(parts, "answers")
    common = {(row["model"], row["task"]): row.get("answer") for row in parts["majority"] or []}
    places = dict.fromkeys(tuple(cell.split(".")[:2]) for cells in answers.values() for cell in cells)
    entries = []
    for model, task in {**common, **places}:
        with attempt(f"{model} · {task}"):
            if not (names := metrics(tasks[task])):
                continue
            rows = prompts[task]["test"].to_pylist()
            given_here = _entries(answers, model, task, items_digest(rows))
            guessed = [common[model, task]] * len(rows) if common.get((model, task)) is not None else None
            cut = {method for method, seeds in given_here.items() if is_cut_off(_cut_off_rate(seeds))}
            scores: dict[str, dict[str, Score]] = {}
            for alike in _that_read_alike(names):
                scores |= resampled(tasks[task], alike, _read_by(alike[0], given_here, guessed), rows)
            entries += [{"model": model, "task": task, **_by_metric(name, scores[name], cut)} for name in names]
    return entries


def _that_read_alike(metrics: Sequence[str]) -> list[list[str]]:
    """The metrics in lists of those that read the same answers: all that read what was written are one."""
    picking = [[name] for name in metrics if registry.metric(name).pick]
    reading = [name for name in metrics if [name] not in picking]
    return [reading, *picking] if reading else picking


def _entries(answers: Mapping[str, Mapping[str, Any]], model: str, task: str, items: str) -> dict[str, list[Any]]:
    """What is known of each method's answers on a task, a seed each, where they were given to these items."""
    found: dict[str, list[Any]] = {}
    for method, cells in answers.items():
        for cell, entry in cells.items():
            if cell.split(".")[:2] == [model, task] and entry["items"] == items:
                found.setdefault(method, []).append(entry)
    return found


def _read_by(
    metric: str, entries: Mapping[str, Sequence[Mapping[str, Any]]], guessed: list[str] | None
) -> dict[str, list[list[str]]]:
    """By method the answers of each seed as a metric reads them, those of the majority answer first."""
    picks = registry.metric(metric).pick
    seeds = max(map(len, entries.values()), default=1)
    found = {MAJORITY: [guessed] * seeds} if guessed is not None else {}
    for method, each in entries.items():
        answers = [entry["picked"][metric] if picks else entry["answers"] for entry in each]
        found[method] = answers[:1] * seeds if all(entry.get("seedless") for entry in each) else answers
    return found


def _cut_off_rate(seeds: Sequence[Mapping[str, Any]]) -> float | None:
    """The share of a method's answers that were cut off, over its seeds; None where it is not known of one."""
    rates = [seed.get("cut_off_rate") for seed in seeds]
    known = [rate for rate in rates if rate is not None]
    return fmean(known) if len(known) == len(rates) else None


def _by_metric(metric: str, scores: Mapping[str, Score], cut: Collection[str]) -> dict[str, Any]:
    """Scores and pairs by a metric. No test says that anything is better than a method in ``cut``, of what it wrote."""
    sign, cut = registry.metric(metric).sign, () if registry.metric(metric).pick else cut
    best_first = sorted(scores, key=lambda name: -sign * scores[name].resamples.value)
    pairs = [
        {"first": a, "second": b, **asdict(comparison(scores[a], scores[b])), **(UNTESTED if b in cut else {})}
        for a, b in combinations(best_first, 2)
    ]
    intervals = {name: asdict(interval(scores[name])) for name in best_first}
    return {"metric": metric, "scores": intervals, "pairs": pairs}


def intervals(comparisons: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """By model, task and method the interval of the mean over seeds that ``compare`` found.

    >>> entry = {"model": "m", "task": "t", "scores": {"a": {"low": 0.1, "high": 0.3}}}
    >>> intervals([entry])["m", "t", "a"]["high"]
    0.3
    """
    return {
        (entry["model"], entry["task"], method): found
        for entry in comparisons
        for method, found in entry["scores"].items()
    }


def adjust_p_values(comparisons: list[dict[str, Any]] | None) -> pd.DataFrame:
    """All pairs of all tasks as one frame, with ``p_holm``: adjusted over all tested pairs of a model's table.

    Each model is an attempt of its own. Without comparisons the frame has no row.
    """
    pairs = [
        {"model": entry["model"], "task": entry["task"], "metric": entry["metric"], **pair}
        for entry in comparisons or []
        for pair in entry["pairs"]
    ]
    if not pairs:
        return no_differences()
    tables: list[pd.DataFrame] = []
    for model, rows in by_model(pd.DataFrame(pairs)).items():
        with attempt(model):
            p_values = rows["p"].astype(float)
            adjusted = pd.Series(holm(dict(p_values.dropna())), dtype=float)
            tables.append(rows.assign(p=p_values, p_holm=adjusted.reindex(rows.index)))
    return pd.concat(tables).sort_index()[list(DIFFERENCES)] if tables else no_differences()


def no_differences() -> pd.DataFrame:
    """The frame of ``adjust_p_values`` without a row."""
    return pd.DataFrame(columns=list(DIFFERENCES))


def groups(differences: pd.DataFrame, model: str, task: str) -> dict[str, str]:
    """The letters of each method on a task, best first: what shares one does not differ significantly.

    A pair without a test shares one.
    """
    rows = differences[(differences["model"] == model) & (differences["task"] == task)]
    names = list(dict.fromkeys([*rows["first"], *rows["second"]]))
    adjusted = dict(zip(zip(rows["first"], rows["second"], strict=True), rows["p_holm"].fillna(1.0), strict=True))
    return letters(names, adjusted)


def of_methods(differences: pd.DataFrame) -> bool:
    """Whether all differences are of methods; otherwise some are of checkpoints, as too few seeds were trained."""
    return bool((differences["about"] == "methods").all())


def like_majority(differences: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Model, task and method of the scores that are worse than the majority answer's or do not differ significantly."""
    with_it = differences[(differences["first"] == MAJORITY) | (differences["second"] == MAJORITY)]
    better = (with_it["second"] == MAJORITY) & (with_it["p_holm"] < ALPHA)
    rows = with_it[~better]
    others = rows["first"].where(rows["first"] != MAJORITY, rows["second"])
    return set(zip(rows["model"], rows["task"], others, strict=True))
