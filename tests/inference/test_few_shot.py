"""Shots, the answers whose likelihood counts, the fields of a prediction, and the scores made of them."""

from collections import Counter

import pyarrow as pa
import pytest
import tiny
from project import PARAMETERS

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.evaluation.score import task_scores
from peft_pipelines.inference.few_shot import draw_shots, shots_of
from peft_pipelines.inference.generate import Generation, prediction_fields
from peft_pipelines.inference.loglikelihood import Likelihood, answers_to_score

END = 259
ROWS = [{"prompt": f"{number}?", "references": ["no" if number < 30 else "yes"]} for number in range(40)]


def task(**fields) -> TaskSpec:
    row = {**PARAMETERS["tasks"]["mood"], "labels": {0: "no", 1: "yes"}, "name": "mood", **fields}
    return parse(TaskSpec, "task 'mood'", {key: value for key, value in row.items() if value is not None})


FREE = {"label": None, "labels": None, "target": "{sentence}", "metrics": ["exact_match"]}


def prompter(max_length: int = 512) -> Prompter:
    return Prompter(tiny.tokenizer(tiny.CHATML), chat=True, max_length=max_length)


def scored(row, spec: TaskSpec) -> list[str]:
    return [prompter().tokenizer.decode(tokens) for tokens in answers_to_score(row, spec, prompter())]


@pytest.mark.parametrize(("count", "expected"), [(2, {1}), (4, {2}), (6, {3})])
def test_balanced_shots_are_balanced_however_many_are_used(count, expected):
    for seed in range(5):
        shots = draw_shots(ROWS, count, seed, balanced=True)
        assert set(Counter(answer for _, answer in shots).values()) == expected
        assert draw_shots(ROWS, 40, seed, balanced=True)[:count] == shots


def test_the_seed_decides_the_shots():
    assert draw_shots(ROWS, 4, 0, balanced=True) == draw_shots(ROWS, 4, 0, balanced=True)
    drawn = [draw_shots(ROWS, 4, seed, balanced=True) for seed in range(6)]
    assert len({tuple(shots) for shots in drawn}) == 6
    assert {shots[0][1] for shots in drawn} == {"no", "yes"}


def test_shots_are_rows_of_their_own_with_their_right_answers():
    for balanced in (True, False):
        shots = draw_shots(ROWS, 40, 0, balanced=balanced)
        assert sorted(shots) == sorted((row["prompt"], row["references"][0]) for row in ROWS)
    assert draw_shots(ROWS[:1], 4, 0, balanced=True) == [("0?", "no")]


def test_shots_come_from_the_training_rows_only():
    splits = {
        name: pa.Table.from_pylist([{"prompt": f"{name} {number}?", "references": ["no"]} for number in range(3)])
        for name in ("train", "validation", "test")
    }
    shots = shots_of(splits, task(), 4, seed=0)
    assert sorted(shots) == [(f"train {number}?", "no") for number in range(3)]
    assert shots_of(splits, task(), 0, seed=0) == []
    found = prompter().encode("test 0?", room=2, shots=shots)
    said = prompter().tokenizer.decode(found.prompt)
    assert found.shots == 3
    assert [said.count(f"train {number}?") for number in range(3)] == [1, 1, 1]
    assert said.count("test 0?") == 1 and said.index("test") > said.index("train")


def test_each_label_is_scored_with_its_end_of_turn():
    assert scored(ROWS[0], task()) == ["no<|im_end|>", "yes<|im_end|>"]


def test_of_free_text_what_could_be_generated_of_the_answer_is_scored():
    row = {"prompt": "?", "references": ["seven", "7"]}
    assert scored(row, task(**FREE, max_new_tokens=9)) == ["seven<|im_end|>"]
    assert scored(row, task(**FREE, max_new_tokens=3)) == ["sev"]


def test_the_fields_of_a_prediction():
    found = Generation([5, 6, END], [Likelihood(-0.5, 3, 3), Likelihood(-1.5, 4, 0)])
    written = {"new_tokens": 3, "stopped": True}
    assert prediction_fields(found, (END,), task()) == {**written, "label_scores": {"no": -0.5, "yes": -1.5}}
    found = Generation([5, 6], [Likelihood(-2.0, 5, 4)])
    expected = {"new_tokens": 2, "stopped": False, "reference_tokens": 5, "reference_tokens_right": 4}
    assert prediction_fields(found, (END,), task(**FREE)) == expected


def test_scores_of_labels_and_their_likelihoods():
    rows = [
        {"prediction": "maybe", "references": ["no"], "label_scores": {"no": -1.0, "yes": -2.0}},
        {"prediction": "yes", "references": ["yes"], "label_scores": {"no": -3.0, "yes": -1.0}},
    ]
    numbers = task_scores(rows, task())
    assert (numbers["accuracy"], numbers["label_accuracy"], numbers["label_macro_f1"]) == (0.5, 1.0, 1.0)
    assert (numbers["auroc"], numbers["n"]) == (1.0, 2.0)
    bare = task_scores([{"prediction": "no", "references": ["no"]}], task())
    assert set(bare) == {"metric", "primary", "accuracy", "n"}


def test_token_accuracy_of_free_text():
    counts = [(3, 1), (1, 1)]
    rows = [
        {"prediction": "x", "references": ["y"], "reference_tokens": tokens, "reference_tokens_right": right}
        for tokens, right in counts
    ]
    assert task_scores(rows, task(**FREE))["token_accuracy"] == 0.5


@pytest.mark.parametrize(("ignore_case", "accuracy"), [(False, 0.25), (True, 0.75)])
def test_case_counts_unless_the_row_says_otherwise(ignore_case, accuracy):
    rows = [{"prediction": text, "references": ["yes"]} for text in ("yes", "Yes\n", " YES", "yes!")]
    assert task_scores(rows, task(ignore_case=ignore_case))["accuracy"] == accuracy


@pytest.mark.parametrize(("fields", "labels"), [({"labels": {0: "us", 1: "US"}}, "['us', 'US']"), (FREE, "[]")])
def test_case_is_not_ignored_where_it_tells_labels_apart_or_there_are_none(fields, labels):
    with pytest.raises(ConfigError) as caught:
        task(**fields, ignore_case=True)
    assert f"ignore_case needs labels that differ in more than case, got {labels}" in str(caught.value)
