"""What the page shows under another metric is what a report has whose grid names it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import PROGRAM, browser
from made import Made, free, labelled

from peft_pipelines.evaluation.metrics.weighted.statistic import Array
from peft_pipelines.evaluation.statistics import resampling
from peft_pipelines.evaluation.statistics.resampling import draws
from peft_pipelines.reporting.comparisons import adjust_p_values
from peft_pipelines.reporting.other_metrics import compare_others, others_of
from peft_pipelines.reporting.page.views import OWN, view, views

METRICS = ("macro_f1", "accuracy", "binary_f1", "per_class", "invalid_rate")
SHARES = {"untuned": 0.3, "poor": 0.5, "good": 0.95}


def made(folder: Path, first: str = METRICS[0], **more: Any) -> Made:
    """Cells on two tasks with labels and one of free text, a metric first in the rows of the former."""
    metrics = sorted(METRICS, key=lambda name: name != first)
    tasks = [labelled("moods", metrics=metrics), labelled("views", metrics=metrics), free()]
    return Made(folder, SHARES, tasks, **more)


def views_of(cells: Made) -> dict[str, dict[str, Any]]:
    comparisons = cells.compared()
    return views(cells.table(adjust_p_values(comparisons)), comparisons, cells.compared(compare_others))


def own_view(cells: Made) -> dict[str, Any]:
    comparisons = cells.compared()
    return view(cells.table(adjust_p_values(comparisons)), comparisons)


def filled(shown: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A view with the cells that it shares with the own one, as the page's script fills them in."""
    return {
        name: model
        | {
            "cells": [
                [same if cell is None else cell for cell, same in zip(line, beside, strict=True)]
                for line, beside in zip(model["cells"], own[name]["cells"], strict=True)
            ]
        }
        for name, model in shown.items()
    }


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_view_is_the_report_of_a_grid_with_its_metric(tmp_path: Path, seeds: int) -> None:
    lost = {"poor.tiny.views.s0": None}
    found = views_of(made(tmp_path / "own", seeds=seeds, lost=lost))
    assert list(found) == [OWN, "accuracy", "binary_f1", "per_class"]
    for metric in ("accuracy", "binary_f1", "per_class"):
        expected = own_view(made(tmp_path / metric, metric, seeds=seeds, lost=lost))
        assert filled(found[metric], found[OWN]) == expected
        assert found[metric]["tiny"]["metrics"] == [metric, metric, "number_accuracy"]
        assert found[metric]["tiny"]["cells"] != expected["tiny"]["cells"]


def test_the_other_metrics_of_a_task_share_what_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, drawn = made(tmp_path), []

    def counted(*given: Any) -> Iterator[Array]:
        drawn.append(given)
        return draws(*given)

    monkeypatch.setattr(resampling, "draws", counted)
    found = cells.compared(compare_others)
    assert [(entry["task"], entry["metric"]) for entry in found] == [
        (task, metric) for task in ("moods", "views") for metric in ("accuracy", "binary_f1", "per_class")
    ]
    assert len(drawn) == 2


SHOWN = "[...document.querySelectorAll('table.scores, [data-groups]')].map((one) => one.outerHTML)"
CHOOSE = "metric.value = '{name}'; metric.dispatchEvent(new Event('change'))"
HEAD = "document.querySelector('table.scores th small').textContent === '{name}'"


@pytest.mark.skipif(PROGRAM is None, reason="needs chromium")
def test_the_page_shows_what_the_report_of_that_grid_shows(tmp_path: Path) -> None:
    pages = {name: tmp_path / f"{name}.html" for name in ("macro_f1", "accuracy")}
    for name, path in pages.items():
        path.write_text(made(tmp_path / name, name).page(), encoding="utf-8")
    with browser(tmp_path) as page:
        found = {}
        for name, path in pages.items():
            page.open(path)
            found[name] = page.value(SHOWN)
        for name in ("macro_f1", "accuracy"):
            page.value(CHOOSE.format(name="" if name == "accuracy" else name))
            page.waited(HEAD.format(name=name))
            assert [squeezed_blanks(text) for text in page.value(SHOWN)] == [squeezed_blanks(t) for t in found[name]]
        assert page.said == []


def squeezed_blanks(text: str) -> str:
    """HTML without the white space between its tags, where the template and the script differ."""
    return re.sub(r"\s*(<[^>]*>)\s*", r"\1", text)


def test_a_metric_that_resamples_slowly_has_scores_alone(tmp_path: Path) -> None:
    task = free().model_copy(update={"metrics": ("exact_match", "token_f1", "rougeL", "bleu")})
    cells = Made(tmp_path, SHARES, [task, labelled()])
    found = views_of(cells)
    assert list(found) == [OWN, "accuracy", "per_class", "token_f1", "rougeL", "bleu"]
    assert {entry["metric"] for entry in cells.compared(compare_others)} == {"accuracy", "per_class", "token_f1"}
    (*_, behind, _, _, _), (*_, fast, _, _, _) = (found[name]["tiny"]["cells"][-1][0] for name in ("bleu", "token_f1"))
    assert (behind, len(fast)) == ([], 1)
    assert [group[0] for group in found["bleu"]["tiny"]["groups"]] == ["moods"]


def test_a_task_whose_own_metric_it_is_keeps_it(tmp_path: Path) -> None:
    cells = made(tmp_path)
    table = cells.table(adjust_p_values(cells.compared()))
    assert others_of(table) == {name: ["moods", "views"] for name in ("accuracy", "binary_f1", "per_class")}
