"""The tables of scores and of differences under each metric, for the page's switch."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from peft_pipelines.files.attempts import attempt
from peft_pipelines.reporting.comparisons import adjust_p_values, intervals, like_majority
from peft_pipelines.reporting.other_metrics import others_of, under
from peft_pipelines.reporting.page import scores
from peft_pipelines.reporting.scale import by_model

OWN = ""
"""The view under each task's own metric."""
Entries = list[dict[str, Any]]


def views(results: pd.DataFrame, comparisons: Entries, others: Entries) -> dict[str, dict[str, Any]]:
    """By metric, and under ``OWN``, each model's scores and groups, as in a report with the metric in its grid.

    Without another metric there is nothing to switch, and no view.

    A cell that is the same as under ``OWN`` is None. Each metric is an attempt of its own.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        comparisons: as ``compare`` makes them.
        others: as ``compare_others`` makes them.
    """
    if not (other := others_of(results)):
        return {}
    found = {OWN: view(results, comparisons)}
    for metric, tasks in other.items():
        with attempt(f"scores by {metric}"):
            entries = [entry for entry in comparisons if entry["task"] not in tasks]
            entries += [entry for entry in others if entry["metric"] == metric and entry["task"] in tasks]
            alike = like_majority(adjust_p_values(entries))
            changed = under(results, metric, tasks, intervals(entries), alike)
            found[metric] = _without(view(changed, entries), found[OWN])
    return found


def view(results: pd.DataFrame, comparisons: Entries) -> dict[str, Any]:
    """Each model's names of metrics, cells (a list a method), means and groups.

    A cell is a list of its number, the texts behind it, its signs, its classes and its spoken text.
    """
    differences = adjust_p_values(comparisons)
    return {name: _plain(scores.tables(name, rows, differences)) for name, rows in by_model(results).items()}


def _plain(model: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("number", "behind", "marks", "kind", "spoken")
    return {
        "metrics": [head["metric"] for head in model["heads"]],
        "cells": [[[cell[name] for name in shown] for cell in line["cells"]] for line in model["lines"]],
        "means": [line["mean"] for line in model["lines"]],
        "groups": [[group["task"], group["detectable"], group["members"]] for group in model["groups"]],
    }


def _without(models: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    for name, model in models.items():
        model["cells"] = [
            [None if cell == same else cell for cell, same in zip(line, beside, strict=True)]
            for line, beside in zip(model["cells"], own[name]["cells"], strict=True)
        ]
    return models
