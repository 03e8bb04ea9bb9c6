"""Raw rows of files as they come, to inputs and answers, or to one line that names split, row and column."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import base_rows
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt
from peft_pipelines.storage.splits import RowsFolder

ROW = {
    "name": "x",
    "type": "t",
    "splits": {"train": "train", "validation": "validation", "test": "test"},
    "instruction": "i",
    "input": "{text}",
    "metrics": ["accuracy"],
    "max_new_tokens": 4,
    "licence": "l",
    "citation": "c",
}


def task(**fields: Any) -> TaskSpec:
    return parse(TaskSpec, "task 'x'", {**ROW, **fields})


def adapted(folder: Path, row: TaskSpec) -> list[tuple[str, list[str]]]:
    (given,) = folder.glob("train.*")
    for other in ("validation", "test"):
        shutil.copyfile(given, given.with_stem(other))
    tables = adapt(RowsFolder(filepath=str(folder)).load(), row, base_rows.ALL_ROWS)
    return [(one["input"], one["references"]) for one in tables["test"].to_pylist()]


def refused(folder: Path, row: TaskSpec) -> str:
    with pytest.raises(ConfigError) as caught:
        adapted(folder, row)
    return str(caught.value).removeprefix("task 'x', ")


def test_prompts_and_answers_of_csv_are_the_text_of_the_file(tmp_path: Path) -> None:
    values = ["007", "1.50", "00:30", "true", "12345678901234567890"]
    (tmp_path / "train.csv").write_text("text,answer\n" + "".join(f"{value},{value}\n" for value in values))
    assert adapted(tmp_path, task(target="{answer}")) == [(value, [value]) for value in values]


def test_prompts_of_json_show_numbers_and_truth_values_as_they_stand(tmp_path: Path) -> None:
    lines = [{"text": 7, "ok": True, "answer": "2024-01-05"}, {"text": 8, "ok": False, "answer": "2024-01-06"}]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = task(input="{text} {ok}", target="{answer}")
    assert adapted(tmp_path, row) == [("7 true", ["2024-01-05"]), ("8 false", ["2024-01-06"])]


def test_a_column_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("review.text,a b,0,label\nfine,x,y,1\nbad,x,y,0\n")
    row = task(input="{review.text} {a b} {0}", label="label", labels={0: "bad", 1: "good"})
    assert adapted(tmp_path, row) == [("fine x y", ["good"]), ("bad x y", ["bad"])]


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ("{true: good, false: bad}", [True, False]),
        ("{true: good, false: bad}", ["True", "false"]),
        ('{"1": good, "0": bad}', [1, 0]),
        ("{1: good, 0: bad}", [1.0, 0.0]),
        ("{1: good, 0: bad}", ["1", "0"]),
        ("{1: good, -1: bad}", [1, -1]),
        ("{2.5: good, 0.5: bad}", [2.5, 0.5]),
    ],
)
def test_labels_match_by_their_text(tmp_path: Path, labels: str, values: list[Any]) -> None:
    parquet.write_table(pa.table({"text": ["a", "b"], "label": values}), tmp_path / "train.parquet")
    row = task(label="label", labels=yaml.safe_load(labels))
    assert adapted(tmp_path, row) == [("a", ["good"]), ("b", ["bad"])]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "split 'train': column 'label' is null, it must hold text, a number, true or false, got None"),
        (
            float("nan"),
            "split 'train': column 'label' is no number, it must hold text, a number, true or false, got nan",
        ),
        (-1, "split 'train': label '-1' is a hidden test label, score another split. Allowed: 0, 1"),
        (["a"], "split 'train': column 'label' is a list, it must hold text, a number, true or false, got ['a']"),
        ({"a": 1}, "split 'train': column 'label' is an object, it must hold"),
        (b"1", "split 'train': column 'label' is binary, it must hold"),
        (date(2024, 1, 5), "split 'train': column 'label' is a date, it must hold"),
    ],
)
def test_a_label_that_is_none_is_told(tmp_path: Path, value: Any, message: str) -> None:
    rows = [{"text": "a", "label": value}, {"text": "b", "label": value}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    assert refused(tmp_path, task(label="label", labels={0: "bad", 1: "good"})).startswith(message)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (["a"], "is a list"),
        ({"a": "b"}, "is an object"),
        (b"caf\xe9", "is binary"),
        (date(2024, 1, 5), "is a date"),
        (float("inf"), "is no number"),
    ],
)
@pytest.mark.parametrize("fields", [{"input": "{x}"}, {"target": "{x}"}, {"group": "{x}"}])
def test_a_template_shows_no_value_of_another_kind(
    tmp_path: Path, value: Any, kind: str, fields: dict[str, str]
) -> None:
    rows = [{"text": "a", "answer": "b", "x": value}] * 2
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    expected = f"split 'train': column 'x' {kind}, it must hold text, a number, true or false, got "
    assert refused(tmp_path, task(**{"target": "{answer}", **fields})).startswith(expected)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("a", "column 'answers' must be a list, got 'a'"),
        (["a", None], "column 'answers' is a list in which an entry is null"),
        ([{"text": "a"}], "column 'answers' is a list in which an entry is an object"),
    ],
)
def test_right_answers_are_a_list_of_texts(tmp_path: Path, answers: Any, message: str) -> None:
    (tmp_path / "train.jsonl").write_text(json.dumps({"text": "a", "answers": answers}))
    assert message in refused(tmp_path, task(references="answers"))


def test_a_row_is_named_by_its_number_in_its_file(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(40)]
    texts[31] = None  # type: ignore[call-overload]
    parquet.write_table(pa.table({"text": texts, "answer": ["b"] * 40}), tmp_path / "train.parquet")
    assert refused(tmp_path, task(target="{answer}")) == "train row 31: column 'text' is null, it must hold a value"
