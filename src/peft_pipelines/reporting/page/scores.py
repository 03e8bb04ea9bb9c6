"""The table of scores and the groups of methods that do not differ significantly, as the page's template takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.evaluation.metrics.unit import Unit
from peft_pipelines.files.names import cell_id
from peft_pipelines.reporting.comparisons import UNTESTED, groups, of_methods
from peft_pipelines.reporting.pscp_ranking import stability
from peft_pipelines.reporting.scale import GUESSES, arrow, best_scores, common, is_best, metrics_of
from peft_pipelines.reporting.table import MISSING, costs, ends_of, pairs, spread
from peft_pipelines.reporting.warning_signs import CUT_OFF, LEAK, LIKE_MAJORITY, MARKS, together


def model(
    name: str,
    rows: pd.DataFrame,
    differences: pd.DataFrame,
    inputs: Sequence[Mapping[str, Any]],
    constants: Mapping[str, float],
) -> dict[str, Any]:
    """One model's part of the page."""
    return {
        "name": name,
        **tables(name, rows, differences),
        "costs": costs(rows),
        "pscp": list(inputs),
        "stability": stability(inputs, constants),
    }


def tables(name: str, rows: pd.DataFrame, differences: pd.DataFrame) -> dict[str, Any]:
    """One model's table of scores and its groups of methods that do not differ significantly."""
    tasks = metrics_of(rows)
    return {
        "heads": [_head(rows[rows["task"] == task], task, metric) for task, metric in tasks.items()],
        "lines": _lines(rows, tasks),
        "groups": [
            _group(differences, name, task, metric.unit)
            for task, metric in tasks.items()
            if _compared(differences, name, task)
        ],
        "compared": "methods" if of_methods(differences[differences["model"] == name]) else "checkpoints",
    }


def _head(rows: pd.DataFrame, task: str, metric: Quantity) -> dict[str, str]:
    leaked = f" {LEAK}" if rows["leaked"].any() else ""
    n = rows["n"].max()
    return {
        "task": f"{task}{leaked}",
        "metric": metric.name + arrow(metric),
        "n": MISSING if pd.isna(n) else f"{n:,.0f}",
    }


def _lines(rows: pd.DataFrame, tasks: Mapping[str, Quantity]) -> list[dict[str, Any]]:
    """A line a method, grouped by family; a family's name stands above its first line."""
    order = pairs(rows, "method", "family")
    families = list(dict.fromkeys(family for _, family in order))
    best = best_scores(rows, tasks)
    scale, above = common(rows), None
    lines = []
    for method, family in sorted(order, key=lambda pair: families.index(pair[1])):
        own = rows[rows["method"] == method]
        cells = [_cell(own[own["task"] == task], metric.unit, best[task]) for task, metric in tasks.items()]
        averaged = scale.of(own)["primary"]
        mean = MISSING if averaged.empty or averaged.isna().any() else scale.unit.text(averaged.mean())
        lines.append({"method": method, "family": family if family != above else "", "cells": cells, "mean": mean})
        above = family
    return lines


def _cell(cells: pd.DataFrame, unit: Unit, best: float) -> dict[str, Any]:
    first = cells.iloc[0]
    guessed = first["method"] in GUESSES
    marks = together(cells["marks"].dropna())
    done = cells[cells["primary"].notna()]
    number, _, behind = spread(cells["primary"], list(cells["status"]), unit).partition(" ")
    kinds = ["low"] if LIKE_MAJORITY in marks or guessed else []
    if is_best(done, best):
        kinds.append("best")
    ids = [cell_id(first["method"], first["model"], first["task"], seed) for seed in done["seed"]]
    words = "percent" if unit.in_percent else f"in the {unit.name}"
    interval = _interval(done, unit)
    spoken = [
        f"{first['method']} on {first['task']}: {number} {words}",
        *([f"95 % interval {interval}"] if interval else []),
    ]
    counts = [f"{first['n']:.0f} test examples"] if len(done) and pd.notna(first["n"]) else []
    seeds = [f"{len(done)} seeds"] if len(done) > 1 else []
    return {
        "ids": [] if guessed else ids,
        "number": number,
        "behind": [text for text in (behind, interval) if text],
        "marks": marks,
        "kind": " ".join(kinds),
        "spoken": "; ".join([*spoken, *counts, *seeds, *(MARKS[sign] for sign in marks)]),
    }


def _interval(done: pd.DataFrame, unit: Unit) -> str:
    ends = ends_of(done)
    return f"{unit.text(ends[0])} to {unit.text(ends[1])}" if ends else ""


def _compared(differences: pd.DataFrame, name: str, task: str) -> bool:
    return bool(len(_pairs(differences, name, task)))


def _pairs(differences: pd.DataFrame, name: str, task: str) -> pd.DataFrame:
    return differences[(differences["model"] == name) & (differences["task"] == task)]


def _group(differences: pd.DataFrame, name: str, task: str, unit: Unit) -> dict[str, Any]:
    """The methods with their letters, best first, and the median of the smallest detectable differences."""
    compared = _pairs(differences, name, task)
    detectable = unit.difference(compared["detectable"].median())
    cut = set(compared.loc[compared["test"] == UNTESTED["test"], "second"])
    found = groups(differences, name, task)
    members = [(f"{method} {CUT_OFF}" if method in cut else method, letters) for method, letters in found.items()]
    return {"task": task, "detectable": detectable, "members": members}
