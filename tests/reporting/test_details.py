"""What a reader sees of one cell: its numbers in words, how its training went, its worst answers."""

from pathlib import Path
from typing import Any

import pytest
from made import GENERATION, NO_RUNS, PSCP, Made, answered, asked, checkpoint, free, labelled, method

from peft_pipelines.config import TaskSpec
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.reporting.cell_facts import confusion, facts, scored, spent, trained
from peft_pipelines.reporting.details import details, item_scores, items_digest, shortened, worst

CELL = "m.moods.s0"
CODE = "def f(x):\n    y = x + 1\n    return y"


def row(right: str, answer: str, prompt: str = "p", **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "references": [right], "prediction": answer, **more}


def test_items_are_the_same_where_questions_and_right_answers_are() -> None:
    here, there = items_digest([row("yes", "no")]), items_digest([row("yes", "yes")])
    assert here == there
    assert items_digest([row("no", "no")]) != here != items_digest([row("yes", "no", prompt="q")])


@pytest.mark.parametrize(
    ("task", "rows", "scores"),
    [
        (labelled(), [row("yes", "yes"), row("yes", "no"), row("yes", "perhaps")], [1.0, 0.0, 0.0]),
        (free(), [row("7", "so it is 7"), row("7", "8")], [1.0, 0.0]),
        (free(metric="token_f1"), [row("New York", "the New York Times")], [0.8]),
        (free(metric="codebleu"), [row(CODE, CODE), row(CODE, "hm")], [1.0, 0.0]),
    ],
)
def test_an_answer_scores_as_its_tasks_metric_has_it(task: TaskSpec, rows: list[Any], scores: list[float]) -> None:
    assert item_scores(rows, task) == pytest.approx(scores, abs=0.01)


def test_a_number_scores_by_how_near_it_is_and_no_number_is_the_worst() -> None:
    task = free().model_copy(update={"metrics": ("pearson", "rmse")})
    assert item_scores([row("3.0", "2.5"), row("3.0", "5"), row("3.0", "none")], task) == [-0.5, -2.0, -1e9]


def test_the_worst_come_first_and_of_equal_ones_what_was_least_likely() -> None:
    rows = [
        row("yes", "yes", "right"),
        row("yes", "no", "near", label_scores={"yes": -1.0, "no": -0.5}),
        row("yes", "no", "far", label_scores={"yes": -9.0, "no": -0.1}),
    ]
    found = worst(rows, labelled())
    assert [(entry["prompt"], entry["score"]) for entry in found] == [("far", 0.0), ("near", 0.0), ("right", 1.0)]


def test_picks_stand_beside_what_was_written_and_are_shown(tmp_path: Path) -> None:
    task = labelled(metrics=["acc", "macro_f1"], continuations={})
    beside = {"choices": ["no", "yes"], "choice_logprobs": [-1.0, -2.0]}
    rows = [row("yes", "hm", f"{place}", **beside) for place in range(2)]
    handle = checkpoint(tmp_path, method("good", "adapter"), 0, trainable_parameters=1)
    scores = score(rows, GENERATION, handle, task, PSCP, NO_RUNS)
    parts = {"task": {"moods": task}, "metrics": {CELL: scores}, "predictions": {CELL: rows}}
    given = {f"{kind}.{name}": value for kind, found in parts.items() for name, value in found.items()}
    _, answers = details(**given, **{f"checkpoint.{CELL}": handle})
    assert answers[CELL]["answers"] == ["hm", "hm"]
    assert answers[CELL]["picked"] == {"acc": ["no", "no"]}
    assert [entry["prediction"] for entry in worst(rows, task)] == ["no", "no"]


def test_twenty_answers_are_shown_without_the_instruction_that_all_share() -> None:
    task = labelled()
    rows = answered(asked(task, 30), task, 0.5, 0)
    found = worst(rows, task)
    assert len(found) == 20
    assert found[0]["prompt"].startswith("a line ")


def test_the_middle_of_a_long_text_is_left_out() -> None:
    assert shortened("short") == "short"
    assert shortened("a" * 750 + "b" * 9 + "c" * 750) == "a" * 750 + " … " + "c" * 750


def test_cells_without_numbers_have_no_entry(tmp_path: Path) -> None:
    made = Made(tmp_path, {"good": 0.9}, [labelled()], seeds=2, lost={"good.tiny.moods.s1": None})
    assert made.details["good"].keys() == {"tiny.moods.s0"} == made.answers["good"].keys()
    assert details(**{"metrics.a.moods.s0": None, "predictions.a.moods.s0": None, "checkpoint.a.moods.s0": None}) == (
        {},
        {},
    )


def test_an_entry_says_how_to_run_the_cell_again_and_what_decided_it(tmp_path: Path) -> None:
    entry = Made(tmp_path, {"good": 0.9}, [labelled()]).details["good"]["tiny.moods.s0"]
    assert entry["command"] == "kedro run --pipeline=benchmark --tags=cell.good.tiny.moods.s0"
    assert entry["items"] == 40 and len(entry["predictions"]) == 20
    assert entry["config"].keys() == {"method", "task", "model", "training_args", "seed", "shortcuts", "provenance"}
    assert entry["config"]["task"]["instruction"] == "Good or bad?"


# --- numbers in words ---


def cell(tmp_path: Path, task: TaskSpec, **record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scores and the record of a cell, as a run makes them."""
    handle = checkpoint(tmp_path, method("good", "adapter"), 0, trainable_parameters=1234, **record)
    rows = answered(asked(task, 40), task, 0.9, 0)
    return score(rows, GENERATION, handle, task, PSCP, NO_RUNS), handle.record


def test_facts_stand_in_three_groups_with_units(tmp_path: Path) -> None:
    found = facts(*cell(tmp_path, labelled()))
    assert list(found) == ["Scores", "Costs", "Training"]
    assert list(found["Scores"]) == [
        *("macro_f1", "accuracy", "per_class", "test examples", "label_accuracy", "label_macro_f1", "ece", "auroc"),
    ]
    assert all(
        text.endswith("%") for name, text in found["Scores"].items() if name not in ("macro_f1", "test examples")
    )
    assert found["Costs"] == {
        "trainable parameters": "1,234",
        "checkpoint": "0.00 MB",
        "peak memory of training": "0.50 GB (resident set above the loaded base)",
        "peak memory of answering": "0.30 GB (resident set above the loaded base)",
        "one forward of 1 x 512 tokens": "0.14 TFLOP",
        "that of the base model": "0.138 TFLOP",
        "the method's part of it": "2 GFLOP",
        "training": "60.0 s",
        "training, processor time": "60.0 s",
        "answering": "4.5 s",
        "answering, processor time": "4.0 s",
        "PSCP": found["Costs"]["PSCP"],
        "PSCP, absolute compute": found["Costs"]["PSCP, absolute compute"],
    }
    assert found["Training"] == {
        "rows": "100 train, 10 validation",
        "steps": "20, best at step 10",
        "learning rate": "0.001",
        "rows that lost text": "0",
    }


def test_the_primary_score_comes_first_with_its_interval() -> None:
    scores = {"metric": "macro_f1", "accuracy": 0.9, "primary": 1 / 3, "macro_f1": 1 / 3, "n": 80.0}
    assert list(scored(scores | {"primary_low": 0.25, "primary_high": 0.5}).items()) == [
        ("macro_f1", "33.3 % (25.0 to 50.0)"),
        ("accuracy", "90.0 %"),
        ("test examples", "80"),
    ]


def test_an_error_is_no_share() -> None:
    assert scored({"metric": "pearson", "primary": 0.5, "rmse": 1.25})["rmse"] == "1.250"


def test_token_accuracy_stands_among_the_scores(tmp_path: Path) -> None:
    scores, record = cell(tmp_path, free())
    assert "token_accuracy" in facts(scores | {"token_accuracy": 0.75}, record)["Scores"]


def test_a_lr_search_names_its_length_time_and_a_choice_at_its_end(tmp_path: Path) -> None:
    scores, record = cell(tmp_path, free())
    searched = scores | {"lr_trials": 3, "lr_at_edge": True}
    assert trained(searched, record)["learning rate"] == "0.001, chosen from 3, at the end of the learning-rate search"
    assert spent(searched)["all learning rates together"] == "60.0 s"
    assert "all learning rates together" not in spent(scores)


def test_answers_by_label_are_counted_with_the_invalid_ones(tmp_path: Path) -> None:
    task = labelled()
    rows = [row("no", "no"), row("no", "yes"), row("yes", "yes"), row("yes", "hm")]
    scores = score(rows, GENERATION, checkpoint(tmp_path, method("good", "adapter"), 0), task, PSCP, NO_RUNS)
    assert confusion(scores, task) == [
        ["right, down; answered, across", "no", "yes", "invalid", "recall", "F1"],
        ["no", "1", "1", "0", "50.0 %", "66.7 %"],
        ["yes", "0", "1", "1", "50.0 %", "50.0 %"],
    ]


def test_free_text_and_many_labels_have_no_table_of_answers() -> None:
    assert confusion({}, free()) == []
    assert confusion({}, labelled(labels={number: f"word {number}" for number in range(13)})) == []
