import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from base_rows import ALL_ROWS, task_of
from hypothesis import given, settings
from hypothesis import strategies as st

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.example import adapt_row
from peft_pipelines.storage.splits import RowsFolder

ROOT = Path(__file__).parents[3]
REAL = ROOT.parent / "shared" / "data"
ROWS = yaml.safe_load((ROOT / "conf/base/parameters/tasks/code.yml").read_text())["tasks"]

CONALA = {
    "question_id": 7,
    "intent": "Python: last {item}?",
    "rewritten_intent": "get the last item of list `Names`",
    "snippet": " Names[-1]\n",
}
CODEALPACA = {"prompt": "Return {x} twice.\nInput: 3", "response": "def twice(X):\n    return 2 * X  # {x}\n"}
APPS = {
    "problem_id": 3,
    "question": "Add the numbers.\n\n-----Input-----\n\nTwo integers.\n",
    "solutions": json.dumps(["A, b = map(int, input().split())\nprint(A + b)\n", "print(\n  1)", "print(\n  1)\n"]),
    "input_output": '{"inputs": ["1 2"], "outputs": ["3"]}',
    "difficulty": "introductory",
    "url": "",
    "starter_code": "",
}
ASK = "Write a Python program that solves the following problem: it reads from standard input and prints to standard "
ASK += "output. Where starter code precedes the problem, complete that code instead. Answer with the code only.\n\n"
SOLUTIONS = ["print(\n  1)", "A, b = map(int, input().split())\nprint(A + b)"]


def _prompts(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    task = task_of(name)
    # one of the training examples becomes the validation row; it answers another question
    table = pa.Table.from_pylist([*rows, *({**row, "question_id": 8} for row in rows)])
    prompts: list[dict[str, Any]] = instruct(adapt({"train": table, "test": table}, task, ALL_ROWS), task)[
        "test"
    ].to_pylist()
    return prompts[: len(prompts) // 2]


@pytest.mark.parametrize(
    ("name", "row", "prompt", "references"),
    [
        (
            "conala",
            CONALA,
            "Write a line of Python that does the following. Answer with the code only.\n\n"
            "Task: get the last item of list `Names`",
            ["Names[-1]"],
        ),
        (
            "conala",
            {**CONALA, "rewritten_intent": None},
            "Write a line of Python that does the following. Answer with the code only.\n\nTask: Python: last {item}?",
            ["Names[-1]"],
        ),
        (
            "codealpaca",
            CODEALPACA,
            "Write Python code for the following task. Answer with the code only.\n\nTask: Return {x} twice.\nInput: 3",
            ["def twice(X):\n    return 2 * X  # {x}"],
        ),
        ("apps", APPS, ASK + "Problem: Add the numbers.\n\n-----Input-----\n\nTwo integers.", SOLUTIONS),
        (
            "apps",
            {**APPS, "starter_code": "\nclass Solution:\n    def add(self, A):\n        "},
            ASK + "class Solution:\n    def add(self, A):\n\n"
            "Problem: Add the numbers.\n\n-----Input-----\n\nTwo integers.",
            SOLUTIONS,
        ),
    ],
    ids=["conala", "conala without a rewritten intent", "codealpaca", "apps", "apps with starter code"],
)
def test_exact_prompt_and_references(name: str, row: dict[str, Any], prompt: str, references: list[str]) -> None:
    tests = {"tests": APPS["input_output"]} if name == "apps" else {}
    (found,) = _prompts(name, [row])
    group = found.pop("group") if name == "conala" else "0" * 16
    assert found == {"prompt": prompt, "references": references, **tests}
    assert len(group) == 16


def test_test_cases_ride_with_the_test_split_only() -> None:
    task = task_of("apps")
    split = pa.Table.from_pylist([APPS, {**APPS, "input_output": ""}, APPS])
    prompts = instruct(adapt({"train": split, "test": split}, task, ALL_ROWS), task)
    assert {name: "tests" in table.column_names for name, table in prompts.items()} == {
        "train": False,
        "validation": False,
        "test": True,
    }
    assert prompts["test"]["tests"].to_pylist() == [APPS["input_output"], None, APPS["input_output"]]


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [
        ("conala", CONALA, "snippet"),
        ("conala", CONALA, "rewritten_intent"),
        ("codealpaca", CODEALPACA, "prompt"),
        ("codealpaca", CODEALPACA, "response"),
        ("apps", APPS, "question"),
        ("apps", APPS, "solutions"),
        ("apps", APPS, "starter_code"),
    ],
)
def test_missing_column_is_named(name: str, row: dict[str, Any], column: str) -> None:
    kept = {key: value for key, value in row.items() if key != column}
    with pytest.raises(ConfigError, match=rf"^task '{name}', split 'train'.*: unknown column '{column}'"):
        _prompts(name, [kept])


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("conala", {**CONALA, "snippet": " \n"}, "empty answer"),
        (
            "conala",
            {**CONALA, "intent": None, "rewritten_intent": None},
            "column 'request' is null, it must hold a value",
        ),
        ("codealpaca", {**CODEALPACA, "response": ""}, "empty answer"),
        (
            "apps",
            {**APPS, "solutions": "[1]"},
            r"preprocess distinct_solutions: solutions are no list of texts in '\[1\]'",
        ),
        ("apps", {**APPS, "solutions": "__import__('os')"}, "preprocess distinct_solutions: Expecting value: "),
        ("apps", {**APPS, "solutions": ""}, "no row has an answer in 'solutions', score another split"),
        ("apps", {**APPS, "input_output": "{"}, "test row 0, tests: test cases are not JSON with inputs and outputs"),
        ("apps", {**APPS, "input_output": '{"inputs": [], "outputs": []}'}, "test row 0, tests: test cases must be as"),
        ("apps", {**APPS, "input_output": None}, "tests: no test row has cases in column 'input_output'"),
        (
            "apps",
            {key: value for key, value in APPS.items() if key != "input_output"},
            "split 'test', tests: unknown column 'input_output'. Allowed: problem_id, ",
        ),
    ],
)
def test_rows_that_cannot_be_used_stop_the_run_in_one_line(name: str, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^task '{name}', .*{message}") as error:
        _prompts(name, [row])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("none", ["", "[]", '["", " \\n"]'])
def test_problems_without_a_solution_take_no_part(none: str) -> None:
    assert len(_prompts("apps", [{**APPS, "solutions": none}, APPS, {**APPS, "solutions": none}])) == 1


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("name", "row"), [("conala", CONALA), ("codealpaca", CODEALPACA), ("apps", APPS)])
def test_odd_rows_raise_our_own_error_or_keep_their_answer(name: str, row: dict[str, Any], data: st.DataObject) -> None:
    texts = st.one_of(st.none(), st.text(), st.sampled_from(["", "[]", "{}", '["{x}"]', "null"]))
    odd = {key: data.draw(texts) if isinstance(value, str) else value for key, value in row.items()}
    try:
        prompt = adapt_row(odd, task_of(name), "row 0")
    except ConfigError as error:
        assert str(error).startswith(f"task '{name}', row 0")
    else:
        assert prompt["input"] and all(prompt["references"])


IN_GROUPS = {("conala", 2058): 207}
"""By task and training rows those held out where whole groups are, which need not come to a tenth exactly."""


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("folder", [ROOT / "data/01_raw/samples", REAL], ids=["samples", "real"])
def test_every_row_on_disk_adapts(name: str, folder: Path) -> None:
    if not (folder / name).is_dir():
        pytest.skip(f"no rows in {folder / name}")
    raw = RowsFolder(filepath=str(folder / name)).load()
    adapted = adapt(raw, task_of(name), ALL_ROWS)
    held = IN_GROUPS.get((name, raw["train"].num_rows), round(raw["train"].num_rows * 0.1))
    assert {split: table.num_rows for split, table in adapted.items()} == {
        "train": raw["train"].num_rows - held,
        "validation": held,
        "test": raw["test"].num_rows,
    }
    assert all(len(set(row["references"])) == len(row["references"]) for row in adapted["test"].to_pylist())


@pytest.mark.parametrize(("name", "column"), [("conala", "snippet"), ("codealpaca", "response"), ("apps", "question")])
def test_samples_are_enough_and_distinct(name: str, column: str) -> None:
    raw = RowsFolder(filepath=str(ROOT / "data/01_raw/samples" / name)).load()
    assert (raw["train"].num_rows, raw["test"].num_rows) == (32, 16)
    assert len({row[column] for table in raw.values() for row in table.to_pylist()}) == 48
