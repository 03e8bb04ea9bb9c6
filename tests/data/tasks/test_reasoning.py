"""Reasoning and math tasks: what a model sees of a raw row, and which rows are refused."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from base_rows import ALL_ROWS, task_of

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.evaluation.metrics.math import evaluate
from peft_pipelines.storage.splits import RowsFolder

PROJECT = Path(__file__).parents[3]
REAL = PROJECT.parent / "shared" / "data"
SAMPLES = PROJECT / "data" / "01_raw" / "samples"
ROWS: dict[str, Any] = {
    name: row
    for file in ("reasoning", "math")
    for name, row in yaml.safe_load((PROJECT / f"conf/base/parameters/tasks/{file}.yml").read_text())["tasks"].items()
}

# task: one raw row, the prompt, the right answers
CASES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "mmlu": (
        {
            "question": " Which of these is a prime number?\n  I see two at most.",
            "subject": "elementary_mathematics",
            "choices": ["21", "23 ", "25", "27"],
            "answer": 1,
        },
        """\
Answer the following multiple-choice question. Answer with one letter: A, B, C or D.

Question: Which of these is a prime number?
  I see two at most.
A) 21
B) 23
C) 25
D) 27""",
        ["B"],
    ),
    "piqa": (
        {"goal": "Keep a door  open", "sol1": "Push a wedge under it. ", "sol2": "Push a sponge over it.", "label": 0},
        """\
Choose the solution that reaches the following goal. Answer with one word: Solution1 or Solution2.

Goal: Keep a door open
Solution1: Push a wedge under it.
Solution2: Push a sponge over it.""",
        ["Solution1"],
    ),
    "siqa": (
        {
            "context": "Robin lent Sam an umbrella.",
            "question": "How would Sam feel afterwards?",
            "answerA": "soaked",
            "answerB": "jealous",
            "answerC": "grateful",
            "label": "3",
        },
        """\
Read the situation and answer the question about it. Answer with one letter: A, B or C.

Situation: Robin lent Sam an umbrella.
Question: How would Sam feel afterwards?
A) soaked
B) jealous
C) grateful""",
        ["C"],
    ),
    "obqa": (
        {
            "id": "1-1",
            "question_stem": "A puddle disappears on a sunny day because the water",
            "choices": {"text": ["evaporates", "freezes", "rusts", "burns"], "label": ["A", "B", "C", "D"]},
            "answerKey": "A",
        },
        """\
Answer the following science question, or complete its sentence. Answer with one letter: A, B, C or D.

Question: A puddle disappears on a sunny day because the water
A) evaporates
B) freezes
C) rusts
D) burns""",
        ["A"],
    ),
    "hellaswag": (
        {
            "ind": 1,
            "activity_label": "Rowing",
            "ctx_a": "A man sits in a boat.",
            "ctx_b": "he",
            "ctx": "A man sits in a boat. he",
            "endings": ["picks up the oars.", ", laughing, turns to stone.", "'s asleep on the sun.", "eats the lake"],
            "source_id": "activitynet~v_1",
            "split": "val",
            "split_type": "indomain",
            "label": "0",
        },
        """\
Choose the most plausible continuation of the following text. Answer with one letter: A, B, C or D.

Text: A man sits in a boat.
A) He picks up the oars.
B) He, laughing, turns to stone.
C) He's asleep on the sun.
D) He eats the lake.""",
        ["A"],
    ),
    "winogrande": (
        {
            "sentence": "The vase fell off the shelf because the _ was crooked.",
            "option1": "vase",
            "option2": "shelf",
            "answer": "2",
        },
        """\
Choose the option that fills the gap _ in the following sentence. Answer with one word: Option1 or Option2.

Sentence: The vase fell off the shelf because the _ was crooked.
Option1: vase
Option2: shelf""",
        ["Option2"],
    ),
    "mathqa": (
        {
            "Problem": "what is 20 % of 45 ?",
            "Rationale": "45 * 0.2 = 9 . answer : d",
            "options": "a ) 4.5 , b ) 5 , c ) 1,000 m , 2 m , d ) 9 , e ) none of these",
            "correct": "d",
            "annotated_formula": "multiply(45, divide(20, const_100))",
            "linear_formula": "divide(n0,const_100)|multiply(n1,#0)|",
            "category": "gain",
        },
        """\
Solve the following math problem and choose the right option. Answer with one letter: A, B, C, D or E.

Problem: what is 20 % of 45 ?
A) 4.5
B) 5
C) 1,000 m , 2 m
D) 9
E) none of these""",
        ["D"],
    ),
    "gsm8k": (
        {
            "question": "Ida has 3 jars of 40 buttons.  She sells 2 dozen. How many are left?",
            "answer": "She had 3*40=<<3*40=120>>120 buttons.\nShe has 120-24=<<120-24=96>>96 left.\n#### 96",
        },
        """\
Solve the following math word problem step by step. Write the result, a number, on a last line that begins with ####.

Problem: Ida has 3 jars of 40 buttons. She sells 2 dozen. How many are left?""",
        ["She had 3*40=120 buttons.\nShe has 120-24=96 left.\n#### 96"],
    ),
}

HOW_TO = {
    "ctx_a": "[header] How to store apples [title] Sort them. [step] Put bruised ones aside.",
    "ctx_b": "",
    "endings": [
        "[substeps] Eat those first.",
        "Wait. [title] Wrap them [step] Use paper.",
        "[step] Paint [x] on it.",
        "a",
    ],
    "label": "1",
}


def prompts(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Prompts of rows that are scored; the other splits hold the literal row of the task."""
    task = task_of(name)
    raw = {
        split: pa.Table.from_pylist([CASES[name][0]] * 2) for split in filter(None, task.splits.model_dump().values())
    }
    raw[task.splits.test] = pa.Table.from_pylist(rows)
    return list(instruct(adapt(raw, task, ALL_ROWS), task)["test"].to_pylist())


@pytest.mark.parametrize("name", CASES)
def test_a_raw_row_becomes_exactly_this(name: str) -> None:
    row, prompt, references = CASES[name]
    assert prompts(name, [row]) == [{"prompt": prompt, "references": references}]


def test_the_marks_of_how_to_articles_become_sentences() -> None:
    (row,) = prompts("hellaswag", [{**CASES["hellaswag"][0], **HOW_TO}])
    assert row["prompt"].partition("\n\n")[2] == (
        "Text: How to store apples. Sort them. Put bruised ones aside.\n"
        "A) Eat those first.\nB) Wait. Wrap them. Use paper.\nC) Paint [x] on it.\nD) A."
    )


@pytest.mark.parametrize(
    "options",
    [
        "['a ) 4', 'b ) 5 , 6', 'c ) ( b ) 7', 'd ) 8 %', 'e ) 9']",
        "a ) a ) 4 , b ) b ) 5 , 6 , c ) c ) ( b ) 7 , d ) d ) 8 % , e ) e ) 9",
    ],
)
def test_options_written_in_other_ways_read_the_same(options: str) -> None:
    (row,) = prompts("mathqa", [{**CASES["mathqa"][0], "options": options}])
    assert row["prompt"].endswith("\nA) 4\nB) 5 , 6\nC) ( b ) 7\nD) 8 %\nE) 9")


@pytest.mark.parametrize(
    ("name", "column", "hidden"),
    [
        ("mmlu", "answer", -1),
        ("piqa", "label", -1),
        ("siqa", "label", ""),
        ("obqa", "answerKey", ""),
        ("hellaswag", "label", ""),
        ("winogrande", "answer", ""),
        ("mathqa", "correct", ""),
    ],
)
def test_a_hidden_label_is_refused(name: str, column: str, hidden: object) -> None:
    with pytest.raises(ConfigError, match=rf"^task '{name}', split '\w+': label '{hidden}' is a hidden test label"):
        prompts(name, [{**CASES[name][0], column: hidden}])


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("mmlu", "answer", "B", "unknown label 'B'"),
        ("winogrande", "answer", 3, "unknown label '3'"),
        ("mathqa", "options", "4 or 5", "options must be a to e, each once and in this order, got '4 or 5'"),
        ("mathqa", "options", None, "preprocess split_options: 'NoneType'"),
        ("gsm8k", "answer", "It is 96.", "no '####' before the result in 'It is 96.'"),
        ("gsm8k", "answer", "", "no '####' before the result in ''"),
    ],
)
def test_a_wrong_value_is_refused(name: str, column: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^task '{name}', split 'test|validation'") as error:
        prompts(name, [{**CASES[name][0], column: value}])
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("mmlu", "choices"),
        ("piqa", "sol2"),
        ("siqa", "answerC"),
        ("obqa", "choices"),
        ("hellaswag", "ctx_b"),
        ("winogrande", "option1"),
        ("mathqa", "options"),
        ("gsm8k", "answer"),
    ],
)
def test_a_missing_column_is_named(name: str, column: str) -> None:
    row = {key: value for key, value in CASES[name][0].items() if key != column}
    with pytest.raises(ConfigError, match=f"^task '{name}', split '.*unknown column '{column}'"):
        prompts(name, [row])


@pytest.mark.parametrize("name", CASES)
def test_all_real_rows_are_adapted(name: str) -> None:
    if not (REAL / name).is_dir():
        pytest.skip("no real rows here")
    task, raw = task_of(name), RowsFolder(filepath=str(REAL / name)).load()
    adapted = adapt(raw, task, ALL_ROWS)
    assert sum(table.num_rows for table in adapted.values()) == sum(raw[split].num_rows for split in taking_part(task))
    texts = [
        text for table in adapted.values() for row in table.to_pylist() for text in (row["input"], *row["references"])
    ]
    assert not [text for text in texts if any(mark in text for mark in ("[title]", "[substeps]", "<<", "['a )"))]


@pytest.mark.parametrize("name", CASES)
def test_there_are_enough_sample_rows(name: str) -> None:
    rows = {split: table.num_rows for split, table in RowsFolder(filepath=str(SAMPLES / name)).load().items()}
    assert rows["train"] >= 24 and rows["validation"] >= 8 and rows["test"] >= 16, rows


def test_the_steps_of_the_sample_solutions_are_right() -> None:
    for table in RowsFolder(filepath=str(SAMPLES / "gsm8k")).load().values():
        for answer in table["answer"].to_pylist():
            steps = re.findall(r"<<(.*?)=(.*?)>>", answer)
            assert [evaluate(left) for left, _ in steps] == [evaluate(right) for _, right in steps], answer
            assert evaluate(steps[-1][1]) == evaluate(answer.partition("#### ")[2]), answer


def taking_part(task: TaskSpec) -> set[str]:
    return {split for split in task.splits.model_dump().values() if split}
