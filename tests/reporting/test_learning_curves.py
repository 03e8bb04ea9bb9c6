"""Plots of training, ranks and labels."""

from typing import Any

import pandas as pd
import pytest

from peft_pipelines.reporting.label_placement import beside, positions
from peft_pipelines.reporting.learning_curves import plot_curves, plot_lr_search
from peft_pipelines.reporting.ranks import diagram, rank


def curve(*losses: float) -> dict[str, Any]:
    log = [
        {"loss": 9.0, "step": 0},
        *({"validation_loss": loss, "step": 10 * place} for place, loss in enumerate(losses, 1)),
    ]
    return {"curve": log, "lr_search": []}


def test_a_line_a_method_and_a_panel_a_task() -> None:
    figure = plot_curves(
        **{
            "details.one": {"m.moods.s0": curve(2.0, 1.0), "m.moods.s1": curve(8.0, 8.0), "m.sums.s0": curve(3.0, 2.0)},
            "details.two": {"m.moods.s0": curve(1.5, 1.2)},
        }
    )
    lines = [(trace.name, list(trace.x), list(trace.y), bool(trace.showlegend)) for trace in figure.data]
    assert lines == [
        ("one", [10, 20], [2.0, 1.0], True),
        ("two", [10, 20], [1.5, 1.2], True),
        ("one", [10, 20], [3.0, 2.0], False),
    ]
    assert [note.text for note in figure.layout.annotations] == ["moods", "sums"]


def test_methods_differ_in_line_and_symbol_not_only_in_colour() -> None:
    one, two = plot_curves(**{f"details.{name}": {"m.moods.s0": curve(2.0, 1.0)} for name in ("one", "two")}).data
    assert one.line.dash != two.line.dash and one.marker.symbol != two.marker.symbol


def test_models_are_named_where_there_are_several() -> None:
    figure = plot_curves(**{"details.one": {"m.moods.s0": curve(2.0, 1.0), "n.moods.s0": curve(2.0, 1.0)}})
    assert [note.text for note in figure.layout.annotations] == ["m · moods", "n · moods"]


def test_where_each_was_scored_once_there_are_dots_beside_names() -> None:
    figure = plot_curves(**{"details.one": {"m.moods.s0": curve(2.0)}, "details.two": {"m.moods.s0": curve(1.0)}})
    assert [(list(trace.x), list(trace.y)) for trace in figure.data] == [([2.0], ["one"]), ([1.0], ["two"])]
    assert figure.layout.xaxis.title.text == "validation loss after training"


def test_nothing_was_trained() -> None:
    for figure in (plot_curves(**{"details.one": {}}), plot_lr_search(**{"details.one": {"m.moods.s0": curve(1.0)}})):
        assert (len(figure.data), figure.layout.annotations[0].text) == (0, "nothing to show")


def test_a_lr_search_shows_trials_without_diverged_ones_the_chosen_full() -> None:
    trials = [(1e-4, 2.0, False), (1e-3, 1.0, True), (1e-2, None, False)]
    lr_search = [{"learning_rate": rate, "validation_loss": loss, "chosen": chosen} for rate, loss, chosen in trials]
    (line,) = plot_lr_search(**{"details.one": {"m.moods.s0": {"curve": [], "lr_search": lr_search}}}).data
    assert (list(line.x), list(line.y)) == ([1e-4, 1e-3], [2.0, 1.0])
    assert list(line.marker.symbol) == ["circle-open", "circle"]


# --- ranks ---


def scores(**methods: list[float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": "m", "method": name, "task": f"t{place}", "metric": "accuracy", "primary": value, "marks": ""}
            for name, values in methods.items()
            for place, value in enumerate(values)
        ]
    )


def test_ranks_are_means_over_tasks_with_bars_over_what_is_alike() -> None:
    table = scores(c=[0.1, 0.2, 0.3], a=[0.9, 0.8, 0.7], b=[0.5, 0.6, 0.8], majority=[0.99, 0.99, 0.99])
    (entry,), figure = rank(table)
    assert list(entry["ranks"]) == ["a", "b", "c"]
    assert list(entry["ranks"].values()) == pytest.approx([4 / 3, 5 / 3, 3.0])
    assert entry["critical_difference"] == pytest.approx(1.913, abs=1e-3)
    assert entry["alike"] == [["a", "b", "c"]]
    dots, bar = figure.data
    assert (list(dots.y), list(dots.text)) == (["a", "b", "c"], ["1.33", "1.67", "3.00"])
    assert (list(bar.y), bar.xaxis) == (["a", "c"], "x2")
    assert figure.layout.xaxis.domain[1] <= figure.layout.xaxis2.domain[0]  # beside the scale of ranks, not on it


def test_a_method_without_a_score_on_each_task_is_named_and_left_out() -> None:
    (entry,), _ = rank(scores(a=[0.9, 0.8], b=[0.5, 0.6], c=[0.1, 0.2], d=[0.4, None]))
    assert entry["left_out"] == ["d"] and "d" not in entry["ranks"]


@pytest.mark.parametrize("methods", [{"a": [0.9, 0.8], "b": [0.5, 0.6]}, {"a": [0.9], "b": [0.5], "c": [0.1]}])
def test_too_little_for_ranks_is_said(methods: dict[str, list[float | None]]) -> None:
    (entry,), figure = rank(scores(**methods))
    assert "ranks" not in entry
    assert figure.layout.annotations[0].text == "needs three methods with scores on two tasks"
    assert len(diagram({}).data) == 0


# --- names of points ---


def test_a_name_stands_beneath_at_the_right_unless_something_is_there() -> None:
    assert positions([(0.5, 0.5)], ["alone"]) == ["bottom right"]
    assert positions([(0.5, 0.5)], ["alone"], [0.47]) == ["middle right"]
    assert positions([], []) == []


def test_lines_that_lie_close_share_a_text() -> None:
    assert beside([], [], 1.0) == []
    assert beside(["far", "near", "nearer"], [9.0, 1.0, 1.5], 1.0) == [("nearer<br>near", 1.25), ("far", 9.0)]
