"""The sentences that a report begins with, on made results whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made import FAILURE, Made, free, labelled, method

from peft_pipelines.reporting.summary_sentences import summarise

TASKS = [labelled(), labelled("views"), free()]
ONCE = (
    "Each method was trained once on a task, so the differences are between these checkpoints; "
    "with 3 seeds or more they can be between methods."
)
Said = Callable[..., list[str]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    def sentences(shares: dict[str, float], tasks: Any = TASKS, **more: Any) -> list[str]:
        (entry,) = Made(tmp_path, shares, tasks, **more).summary()
        assert entry["model"] == "tiny"
        return list(entry["sentences"])

    return sentences


def test_a_clear_winner(said: Said) -> None:
    assert said({"base": 0.3, "good": 0.98, "poor": 0.5}, n=200, seeds=3) == [
        "Tuned methods that are significantly better than the untuned model (base): "
        "good on moods, views and sums; poor on sums.",
        "good is significantly better than every other tuned method on every task. "
        "good trains 15,000 parameters in 60 s a cell.",
    ]


def test_all_equal(said: Said) -> None:
    over, best, more = said({"base": 0.9, "a": 0.9, "b": 0.9, "c": 0.9}, n=100, seeds=3)
    assert over == "No tuned method is significantly better than the untuned model (base) on any task."
    assert best == (
        "No tuned method is significantly worse than the best one on any task. "
        "Of these, a trains the fewest parameters (15,000) and is quickest to train (60 s a cell)."
    )
    assert more.startswith("Differences between tuned methods below about ")
    assert more.endswith(" on sums are seldom found; half as much takes four times as many test examples and seeds.")


def test_one_seed_speaks_of_checkpoints(said: Said) -> None:
    over, best, more = said({"base": 0.3, "a": 0.9, "b": 0.9}, TASKS[:1], n=200)
    assert over == "Tuned checkpoints that are significantly better than the untuned model (base): a and b on moods."
    assert best.startswith("No tuned checkpoint is significantly worse than the best one on moods.")
    assert more.endswith(f"takes four times as many test examples. {ONCE}")


def test_some_are_among_the_best_and_some_are_not(said: Said) -> None:
    over, best, *_ = said({"base": 0.3, "a": 0.9, "b": 0.85, "c": 0.4}, n=200)
    assert over.endswith(": a and b on moods, views and sums.")
    assert best.startswith("Not significantly worse than the best tuned checkpoint on any task: a and b. Of these, a ")


def test_without_the_untuned_model_the_most_frequent_answer_stands_for_it() -> None:
    rows = results({"a": 0.9, "b": 0.6})
    (entry,) = summarise(rows, differences(("a", "majority", 0.3, 0.001), ("a", "b", 0.1, 0.01)), **specs("a", "b"))
    assert entry["sentences"][0] == (
        "Tuned checkpoints that are significantly better than always giving the most frequent answer "
        "(the grid has no untuned model): a on moods."
    )


def test_what_is_worse_than_the_untuned_model_is_said() -> None:
    pairs = differences(("base", "b", 0.3, 0.001), ("a", "base", 0.1, 0.2), ("a", "b", 0.4, 0.001))
    (entry,) = summarise(results({"base": 0.7, "a": 0.8, "b": 0.4}), pairs, **specs("base", "a", "b"))
    assert entry["sentences"][0] == (
        "No tuned checkpoint is significantly better than the untuned model (base) on any task; "
        "significantly worse: b on moods."
    )


def test_nothing_is_called_better_than_answers_that_were_cut_off() -> None:
    pairs = differences(("a", "base", 0.3, float("nan")))
    (entry,) = summarise(results({"base": 0.1, "a": 0.4}), pairs.assign(test="cut_off"), **specs("base", "a"))
    assert entry["sentences"][0] == (
        "No tuned checkpoint is significantly better than the untuned model (base) on any task. "
        "On moods its answers were cut off, so that nothing is called better there."
    )


def test_fewest_parameters_and_quickest_training_may_be_of_two_methods() -> None:
    rows = results({"base": 0.3, "a": 0.8, "b": 0.7})
    rows.loc[rows["method"] == "b", ["trainable_parameters", "train_seconds"]] = [2_000_000.0, 12.0]
    (entry,) = summarise(rows, differences(("a", "b", 0.1, 0.5)), **specs("base", "a", "b"))
    assert entry["sentences"][1].endswith(
        "Of these, a trains the fewest parameters (1,000), and b is quickest to train (12 s a cell)."
    )


def test_where_each_task_has_another_winner_each_is_named() -> None:
    rows = pd.concat([results({"a": 0.9, "b": 0.6}), results({"a": 0.6, "b": 0.9}, "views")])
    pairs = pd.concat([differences(("a", "b", 0.3, 0.01)), differences(("b", "a", 0.3, 0.01), task="views")])
    (entry,) = summarise(rows, pairs, **specs("a", "b"))
    assert entry["sentences"][1].startswith(
        "No tuned checkpoint is among the best on every task; these are a on moods; b on views. Of these, a "
    )


def test_cells_without_numbers_are_counted_and_left_out_of_the_rest(said: Said) -> None:
    lost = {"a.tiny.moods.s0": FAILURE, "b.tiny.views.s0": None}
    over, best, *_, last = said({"base": 0.3, "a": 0.9, "b": 0.9}, n=100, lost=lost)
    assert over.endswith("(base): a on views and sums; b on moods and sums.")
    assert "on sums" in best and "moods" not in best and "views" not in best
    assert last == "Distrust: 1 of 9 cells failed; 1 of 9 cells not run."


def test_without_any_score_of_a_tuned_method(said: Said) -> None:
    lost = {"a.tiny.moods.s0": FAILURE}
    found = said({"base": 0.9, "a": 0.9}, TASKS[:1], lost=lost)
    assert found == ["No tuned method has a score.", "Distrust: 1 of 2 cells failed."]


def test_without_a_method_that_trains(said: Said) -> None:
    assert said({"base": 0.9}, TASKS[:1])[0] == "The grid has no method that trains."


def test_a_single_tuned_method_is_compared_with_the_untuned_model_alone(said: Said) -> None:
    assert said({"base": 0.3, "a": 0.9}, TASKS[:1], n=100)[1:] == ["a trains 15,000 parameters in 60 s a cell.", ONCE]


def test_warning_signs_are_told_with_their_cells() -> None:
    rows = results({"base": 0.3, "a": 0.8})
    rows.loc[rows["method"] == "a", "marks"] = "!≈"
    rows["leaked"] = 2.0
    (entry,) = summarise(rows, None, **specs("base", "a"))
    assert entry["sentences"][0] == "No two methods could be compared, so no difference is known to be more than noise."
    assert entry["sentences"][-1] == (
        "Distrust: predicts one class only: a on moods; not significantly different from always giving the most "
        "frequent answer: a on moods; some test inputs stand among the training inputs (see the data report): moods."
    )


def results(scores: dict[str, float], task: str = "moods") -> pd.DataFrame:
    """Rows of results with one seed a method."""
    common = {"model": "tiny", "task": task, "metric": "accuracy", "seed": "s0", "status": "done", "marks": ""}
    costs = {"trainable_parameters": 1000.0, "train_seconds": 60.0, "leaked": 0.0}
    return pd.DataFrame([{**common, **costs, "method": name, "primary": score} for name, score in scores.items()])


def differences(*pairs: tuple[str, str, float, float], task: str = "moods") -> pd.DataFrame:
    """Rows of differences: first, second, difference and adjusted p-value."""
    common = {"model": "tiny", "task": task, "metric": "accuracy", "detectable": 0.05, "test": "mcnemar"}
    common["about"] = "checkpoints"
    names = ("first", "second", "difference", "p_holm")
    return pd.DataFrame([{**common, **dict(zip(names, pair, strict=True))} for pair in pairs])


def specs(*names: str) -> dict[str, Any]:
    """The rows of methods; ``base`` trains nothing."""
    rows = {name: method(name, "baseline" if name == "base" else "adapter") for name in names}
    return {f"spec.{name}": {key: value for key, value in row.items() if key != "name"} for name, row in rows.items()}
