"""Files of answers: the input's values come back as they were, in each format."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from base_rows import task_of
from pyarrow import parquet

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.answer_files import (
    Given,
    added,
    added_columns,
    check_columns,
    check_writable,
    read_lines,
    write_answers,
)

TASK = task_of("sst2")
ROWS: list[dict[str, Any]] = [
    {"sentence": "=1+1", "n": 1, "tags": ["a", "\u00e9"]},
    {"sentence": "two\nlines", "n": None, "tags": []},
]
PREDICTED = [
    {"prediction": "positive", "new_tokens": 2, "stopped": True, "label_scores": {"negative": -2.0, "positive": -2.0}},
    {"prediction": "-x", "new_tokens": 8, "stopped": False, "label_scores": {"negative": 0.0, "positive": -900.0}},
]


def given(rows: list[dict[str, Any]]) -> Given:
    return Given(pa.Table.from_pylist(rows), "")


def test_answers_add_their_text_the_labels_shares_and_their_end() -> None:
    first, second = added(PREDICTED, TASK)
    assert list(first) == added_columns(TASK)
    assert list(first.values()) == ["positive", 0.5, 0.5, 2, True]
    assert list(second.values()) == ["-x", 1.0, 0.0, 8, False]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_the_inputs_values_come_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write_answers(path, given(ROWS), added(PREDICTED, TASK))
    if suffix == ".parquet":
        found = parquet.read_table(path).to_pylist()
    else:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert found == [{**row, **answer} for row, answer in zip(ROWS, added(PREDICTED, TASK), strict=True)]


def test_a_csv_holds_no_formula_and_whole_numbers_stay_whole(tmp_path: Path) -> None:
    write_answers(tmp_path / "out.csv", given(ROWS), added(PREDICTED, TASK))
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == '\'=1+1,1,"[""a"", ""\u00e9""]",positive,0.5,0.5,2,True'
    assert text.splitlines()[2].startswith("two\\nlines,,[],'-x,1.0,0.0,8,False")


def test_a_column_that_holds_answers_is_refused() -> None:
    check_columns(given(ROWS), TASK)
    with pytest.raises(ConfigError, match="must not have the column 'probability_negative'"):
        check_columns(given([{"sentence": "x", "probability_negative": 1}]), TASK)


DAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("value", "suffix", "line"),
    [
        (DAY, ".jsonl", r"JSON lines cannot hold the input's values \(.*date.*\); write Parquet"),
        (float("nan"), ".jsonl", r"JSON lines cannot hold the input's values \(.*\); write Parquet"),
        ([DAY], ".csv", r"CSV cannot hold the input's values \(.*date.*\); write Parquet"),
        (b"x", ".csv", r"CSV cannot hold the input's values \(binary is no text\); write Parquet"),
        ({"raw": b"x"}, ".csv", r"CSV cannot hold the input's values \(.*bytes.*\); write Parquet"),
        ({}, ".parquet", r"Parquet cannot hold the input's values \(.*no child field.*\); write JSON lines"),
        ([{}], ".parquet", r"Parquet cannot hold the input's values \(.*no child field.*\); write JSON lines"),
    ],
)
def test_what_a_format_cannot_hold_is_told_before_the_answers(
    tmp_path: Path, value: Any, suffix: str, line: str
) -> None:
    odd, path = given([{"sentence": "x", "more": value}]), tmp_path / f"out{suffix}"
    with pytest.raises(ConfigError, match=rf"^--output: {line}$"):
        check_writable(path, odd)
    if suffix == ".jsonl":
        with pytest.raises(ConfigError, match=line):
            check_writable(None, odd)
    other = tmp_path / ("out.jsonl" if suffix == ".parquet" else "out.parquet")
    check_writable(other, odd)
    write_answers(other, odd, added(PREDICTED[:1], TASK))
    assert list(tmp_path.iterdir()) == [other]


def test_what_the_disk_refuses_is_told_before_the_answers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file/out.csv", f"{'x' * 260}.csv"):
        with pytest.raises(OSError, match=r"Not a directory|File exists|File name too long"):
            check_writable(tmp_path / place, given(ROWS))
    check_writable(tmp_path / "new" / "out.csv", given(ROWS))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new"]


def test_standard_input_is_json_lines() -> None:
    found = read_lines(b'{"sentence": "fun", "n": 1}\n\n{"sentence": "dull"}\n')
    assert found.table.to_pylist() == [{"sentence": "fun", "n": 1}, {"sentence": "dull", "n": None}]
    for data, line in {
        b"fun\n": "raw rows: file 'standard input', line 1, column 1: not JSON: Expecting value, got fun",
        b"\xff\n": "raw rows: file 'standard input', byte 0 (line 1): not UTF-8: 0xff, save it as UTF-8",
        b'{"n": 1}\n{"n": "x"}\n': "raw rows: file 'standard input', line 2: field 'n' is text, but a number in line 1 "
        "of standard input",
        b"": "--input 'standard input': must hold at least 1 row, got none",
    }.items():
        with pytest.raises(ConfigError) as caught:
            read_lines(data)
        assert str(caught.value) == line
