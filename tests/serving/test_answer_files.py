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
from peft_pipelines.serving.answer_files import Given, added, added_columns, check_columns, read_lines, write_answers

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


def test_what_json_lines_cannot_hold_is_refused_before_the_answers() -> None:
    dated = given([{"sentence": "x", "day": date(2026, 1, 1)}])
    check_columns(dated, TASK, ".parquet")
    with pytest.raises(ConfigError, match=r"JSON lines cannot hold the input's values .*date.*; write Parquet"):
        check_columns(dated, TASK, ".jsonl")
    with pytest.raises(ConfigError, match="must not have the column 'probability_negative'"):
        check_columns(given([{"sentence": "x", "probability_negative": 1}]), TASK, ".csv")


def test_standard_input_is_json_lines() -> None:
    found = read_lines(b'{"sentence": "fun", "n": 1}\n\n{"sentence": "dull"}\n')
    assert found.table.to_pylist() == [{"sentence": "fun", "n": 1}, {"sentence": "dull", "n": None}]
    with pytest.raises(ConfigError, match=r"stdin.jsonl', line 1, column 1: not JSON"):
        read_lines(b"fun\n")
    with pytest.raises(ConfigError, match="must hold at least 1 row, got none"):
        read_lines(b"")
