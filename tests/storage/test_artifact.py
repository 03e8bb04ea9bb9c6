from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage.artifact import Artifact

FRAME = pd.DataFrame({"name": ["a", "b"], "share": [0.1 + 0.2, None], "n": [1.0, 2.0]})
SEPARATORS = "one\u2028two\u0085three\x0bfour\nfive\rsix"


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("value.json", {"b": 1, "a": [0.1 + 0.2, None, "é"]}),
        ("rows.jsonl", [{"prediction": SEPARATORS, "references": ["a"]}, {"prediction": ""}]),
        ("none.jsonl", []),
        ("text.md", "| ± |\n"),
    ],
)
def test_what_is_saved_is_loaded(tmp_path: Path, file: str, data: Any) -> None:
    artifact = Artifact(filepath=str(tmp_path / "new/folder" / file))
    artifact.save(data)
    assert artifact.load() == data
    assert [path.name for path in (tmp_path / "new/folder").iterdir()] == [file]


@pytest.mark.parametrize("file", ["table.parquet", "table.csv"])
def test_a_frame_comes_back_to_the_last_digit(tmp_path: Path, file: str) -> None:
    artifact = Artifact(filepath=str(tmp_path / file))
    artifact.save(FRAME)
    assert_frame_equal(artifact.load(), FRAME, check_exact=True)


@pytest.mark.parametrize(
    ("file", "old", "bad"),
    [
        ("value.json", {"a": 1}, {"a": float("nan")}),
        ("value.json", {"a": 1}, {"a": object()}),
        ("rows.jsonl", [{"a": 1}], [{"a": 2}, {"a": float("inf")}]),
        ("table.parquet", FRAME, pd.DataFrame({"mixed": [1, "one"]})),
        ("text.md", "old", None),
    ],
)
def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, file: str, old: Any, bad: Any
) -> None:
    artifact = Artifact(filepath=str(tmp_path / file))
    artifact.save(old)
    before = (tmp_path / file).read_bytes()
    with pytest.raises(DatasetError):
        artifact.save(bad)
    assert (tmp_path / file).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_a_missing_file_is_none_only_where_it_may_be_missing(tmp_path: Path) -> None:
    assert Artifact(filepath=str(tmp_path / "metrics.json"), optional=True).load() is None
    with pytest.raises(DatasetError):
        Artifact(filepath=str(tmp_path / "metrics.json")).load()


def test_an_unknown_ending_is_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown ending '\.xlsx'.*\.parquet, \.csv, \.json, \.jsonl, \.md"):
        Artifact(filepath="results.xlsx")


def test_preview_is_the_first_rows_with_four_digits(tmp_path: Path) -> None:
    artifact = Artifact(filepath=str(tmp_path / "table.parquet"))
    artifact.save(FRAME)
    assert artifact.preview(nrows=2) == {
        "columns": ["name", "share", "n"],
        "index": [0, 1],
        "data": [["a", 0.3, 1.0], ["b", "", 2.0]],
    }
    numbers = Artifact(filepath=str(tmp_path / "value.json"))
    numbers.save({"a": 0.123456})
    assert numbers.preview()["data"] == [[0.1235]]
