"""What is said of rows before a task is made of them."""

from typing import Any

import pyarrow as pa
import pytest

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.data.row_facts import facts

TASK = parse(
    TaskSpec,
    "task 'mine'",
    {
        "name": "mine",
        "type": "classification",
        "splits": {"train": "train", "test": "test"},
        "instruction": "good or not?",
        "input": "{text}",
        "label": "label",
        "labels": {"good": "good", "bad": "bad"},
        "metrics": ["accuracy"],
        "max_new_tokens": 8,
        "licence": "-",
        "citation": "-",
    },
)


def said(train: list[tuple[str, str]], test: list[tuple[str, str]], task: TaskSpec = TASK) -> list[str]:
    def table(rows: list[tuple[str, str]]) -> Any:
        return pa.Table.from_pylist([{"input": text, "references": [answer]} for text, answer in rows])

    return list(facts({"train": table(train), "test": table(test)}, task))


MANY = [(f"text {number}", "good" if number % 2 else "bad") for number in range(120)]


def test_sound_rows_say_only_that_a_word_is_not_named() -> None:
    assert said(MANY[:60], MANY[60:]) == [
        "the instruction does not name the label 'bad': models must guess the word",
    ]


def test_repeats_contradictions_leaks_and_rare_labels_are_said() -> None:
    train = [("Same", "good"), ("same ", "bad"), *[(f"t{number}", "good") for number in range(5)]]
    assert said(train, [("t1", "good")])[:-1] == [
        "rows that repeat the input of another one: 2 of 8",
        "inputs with more than one answer: 1; nothing can learn both",
        "test inputs that occur in training too: 1 of 1; scores will flatter",
        "rows to test: 1, which is few; intervals will be wide",
        "labels with few rows to train on: 'bad' (1)",
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("0", "1"), "the labels are numbers: a word for each, such as 0=negative, tells a model what it means"),
        (("A", "a"), "labels that differ in case alone are different labels: an answer must have the right case"),
    ],
)
def test_labels_that_are_hard_to_answer_are_said(words: tuple[str, str], line: str) -> None:
    task = TASK.model_copy(update={"labels": dict(zip("xy", words, strict=True)), "instruction": " or ".join(words)})
    rows = [(f"text {number}", words[number % 2]) for number in range(120)]
    assert said(rows[:60], rows[60:], task) == [line]


def test_an_input_that_shows_the_answer_is_told() -> None:
    shown = "the input shows column 'label', which the answer is made of: models can copy it"
    assert said(MANY, MANY, TASK.model_copy(update={"input": "{text} {label}"}))[0] == shown
    of_text = {"input": "{text} {label}", "label": None, "labels": {}, "target": "It is {label}."}
    assert said(MANY, MANY, TASK.model_copy(update=of_text))[0] == shown
