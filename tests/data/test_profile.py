"""The data report: what it counts, and what it says of rows that a reader should distrust."""

from pathlib import Path

import pyarrow as pa
import pytest
import tiny
from made import labelled

from peft_pipelines.config import ModelSpec, parse
from peft_pipelines.data.adapt import instruct
from peft_pipelines.data.overlap import overlap
from peft_pipelines.data.profile import primary_metric, profile
from peft_pipelines.evaluation.score import random_task_scores
from peft_pipelines.reporting.data_report import data_report, notes
from peft_pipelines.reporting.results import guess, majority

TASK = labelled("mood", labels={0: "bad", 1: "good"}, metrics=["accuracy"], max_new_tokens=8)


def rows(*texts_and_answers: tuple[str, str]) -> pa.Table:
    """Adapted rows."""
    return pa.Table.from_pylist([{"input": text, "references": [answer]} for text, answer in texts_and_answers])


@pytest.fixture
def found(tmp_path: Path) -> dict:
    """The profile of five training, one validation and four test examples."""
    tiny.base("llama").save_pretrained(tmp_path)
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path)
    model = parse(
        ModelSpec,
        "model 'm'",
        {
            "name": "m",
            "folder": str(tmp_path),
            "dtype": "float32",
            "chat_template": True,
            "licence": "-",
            "citation": "-",
        },
    )
    adapted = {
        "train": rows(
            ("fun", "good"),
            ("dull", "bad"),
            ("a long and winding tale of two brothers who never quite grow up", "bad"),
            ("fun", "good"),
            ("ok", "good"),
        ),
        "validation": rows(("fine", "good")),
        "test": rows(
            ("Fun", "good"),
            ("a long and winding tale of two brothers who never quite grow up!", "bad"),
            ("odd", "bad"),
            ("x" * 600, "good"),
        ),
    }
    return profile(adapted, instruct(adapted, TASK), TASK, model, tiny.training_args(), tmp_path)


def test_rows_balance_and_repeats_are_counted_by_split(found: dict) -> None:
    assert found["rows"] == {"train": 5, "validation": 1, "test": 4}
    assert found["balance"]["train"] == {"bad": 0.4, "good": 0.6}
    assert found["duplicates"] == {"train": 1, "validation": 0, "test": 0}


def test_test_inputs_that_stand_in_training_are_found(found: dict) -> None:
    leak = found["in_train"]["test"]
    assert (leak["exact"], leak["near"]) == (1, 1)
    assert leak["pairs"] == [
        [
            "a long and winding tale of two brothers who never quite grow up!",
            "a long and winding tale of two brothers who never quite grow up",
        ]
    ]


def test_lengths_are_those_before_the_cut_and_the_cut_is_counted(found: dict) -> None:
    assert found["prompt_tokens"]["test"]["max"] > found["max_length"]
    assert found["truncated_share"] == {"train": 0.0, "validation": 0.0, "test": 0.25}
    assert found["left_out"] == 0


def test_texts_of_control_tokens_are_counted_and_said(found: dict) -> None:
    assert found["control_text"] == {"train": 0, "validation": 0, "test": 0}
    said = "examples that hold the text of a control token, read as plain text: 2 in train, 1 in test"
    assert said in notes({**found, "control_text": {"train": 2, "validation": 0, "test": 1}})


def test_examples_show_what_the_loss_covers(found: dict) -> None:
    assert found["examples"][0].endswith("Good or bad?\n\nfun<|im_end|>\n<|im_start|>assistant\n⟦good<|im_end|>⟧")


def test_the_scores_of_knowing_nothing_are_there(found: dict) -> None:
    assert (found["metric"], found["majority"], found["random"]) == ("accuracy", 0.5, 0.5)


def test_the_scores_of_knowing_nothing_are_those_of_the_results() -> None:
    task = TASK.model_copy(update={"metrics": ["macro_f1", "accuracy"]})
    split = pa.Table.from_pylist([{"prompt": "?", "references": [word]} for word in ("bad", "good", "good")])
    rows, scored = split.to_pylist(), guess({"train": split, "test": split}, task)
    assert random_task_scores(rows, task, [task.primary])[task.primary] == scored["primary"]
    assert (
        primary_metric(rows, task)(["good"] * 3)["macro_f1"]
        == majority({"train": split, "test": split}, task)["primary"]
    )


def test_free_text_has_no_score_of_drawing_at_random(found: dict) -> None:
    table, _ = data_report(mood={**found, "random": None})
    assert table[0]["random"] == "—"


def test_the_report_has_a_line_a_task_and_says_what_to_distrust(found: dict) -> None:
    table, text = data_report(mood=found)
    assert table[0]["test = train"] == 1 and table[0]["cut"] == "25.0%"
    assert "| mood |" in text
    assert "mood: 1 of 4 test inputs stand in the training examples" in text
    assert "mood: 25.0% of the test prompts lose their middle to max_length" in text


def test_sound_rows_need_no_words(found: dict) -> None:
    clean = {"test": {"exact": 0, "near": 0}}
    assert notes({**found, "in_train": clean, "duplicates": {}, "truncated_share": {"test": 0.0}, "balance": {}}) == []


def test_no_rows_overlap_nothing() -> None:
    assert overlap([], ["a"]) == {"exact": 0, "near": 0, "pairs": []}
    assert overlap(["a"], []) == {"exact": 0, "near": 0, "pairs": []}
