"""Raw rows: what is read is what stands in the file, and everything else is one line."""

import json
import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kedro.io import DatasetError
from pyarrow import parquet

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage import raw_files
from peft_pipelines.storage.splits import RowsFolder


def read(folder: Path) -> dict[str, pa.Table]:
    try:
        return RowsFolder(filepath=str(folder)).load()
    except DatasetError as error:  # kedro's, around ours
        raise error.__cause__ or error from None


def rows_of(path: Path, content: str | bytes) -> list[dict[str, Any]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows: list[dict[str, Any]] = read(path.parent)[path.stem].to_pylist()
    return rows


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


# --- CSV ---


def test_csv_is_text_and_nothing_else(tmp_path: Path) -> None:
    ids = [f"1234567890123456789{digit}" for digit in range(10)]
    values = ["007", "1.50", "00:30", "true", "2024-01-05", "NA", "null", "nan", "", " x ", "1e5", *ids]
    rows = rows_of(tmp_path / "train.csv", "text,label\n" + "".join(f"{value},0\n" for value in values))
    assert [row["text"] for row in rows] == values
    assert {row["label"] for row in rows} == {"0"}


def test_a_value_may_hold_ends_of_lines_commas_and_quotes(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path / "train.csv",
        "text,label\n" + "".join(f'"line {n} one\nsecond, with, ""commas""",0\n' for n in range(40_000)),
    )
    assert len(rows) == 40_000
    assert rows[39_999] == {"text": 'line 39999 one\nsecond, with, "commas"', "label": "0"}


def test_a_value_of_a_million_characters(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "train.csv", f"text,label\n{'x' * 2_400_000},0\n")[0]["text"] == "x" * 2_400_000


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("\ufefftext,label\nfine,1\n", [{"text": "fine", "label": "1"}]),
        ("text,label\r\nfine,1\r\n", [{"text": "fine", "label": "1"}]),
        ("text,label\rfine,1\r", [{"text": "fine", "label": "1"}]),
        ("text,label\nfine,1", [{"text": "fine", "label": "1"}]),
        ("\ntext,label\n\nfine,1\n\n", [{"text": "fine", "label": "1"}]),
        (",text,label\n0,fine,1\n", [{"text": "fine", "label": "1"}]),
        ("review.text\nfine\n", [{"review.text": "fine"}]),
        ('text\n"a\rb"\n', [{"text": "a\rb"}]),
        ('text\nsay "hi"\n', [{"text": 'say "hi"'}]),
        ("text\na\u2028b\n", [{"text": "a\u2028b"}]),
        ("text,label\n", []),
        ("", []),
    ],
)
def test_csv_files_that_are_right(tmp_path: Path, content: str, rows: list[dict[str, str]]) -> None:
    assert rows_of(tmp_path / "train.csv", content) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\nok,0\ncaf\xe9,1\n", "'train.csv', byte 19 (line 3): not UTF-8: 0xe9, save it as UTF-8"),
        ("text,label\nx,0\n".encode("utf-16"), "'train.csv', byte 0: not UTF-8 but UTF-16, save it as UTF-8"),
        ("text,label\nx,0\n".encode("utf-16-le"), "'train.csv', byte 1: not UTF-8 text but a NUL byte"),
        ("text,label\na,b,1\n", "'train.csv', line 2: expected 2 columns, got 3"),
        ('text,label\n"a\nb",1\nc\n', "'train.csv', line 4: expected 2 columns, got 1"),
        ('text,label\nx,0\n"a,1\nb,0\n', "'train.csv', line 3: cannot be read as CSV: a quote is not closed"),
        ('text,label\n"a"b,1\n', "'train.csv', line 2: cannot be read as CSV: ',' expected after '\"'"),
        ("label,sentence,label\n1,x,0\n", "'train.csv', line 1: two columns are named 'label'"),
        ("text,,label\nx,y,0\n", "'train.csv', line 1: column 2 has no name"),
    ],
)
def test_csv_files_that_are_wrong(tmp_path: Path, content: str | bytes, message: str) -> None:
    (tmp_path / "train.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(tmp_path) == f"raw rows: file {message}"


# --- JSON lines ---


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('"2024-01-05"', "2024-01-05"),
        ('"00:30"', "00:30"),
        ('"007"', "007"),
        ("7", 7),
        ("1.5", 1.5),
        ("1.50", "1.50"),
        ("1e5", "1e5"),
        ("12345678901234567890", "12345678901234567890"),
        ("true", True),
        ("null", None),
        ('["1.50", "2024-01-05"]', ["1.50", "2024-01-05"]),
        ("[1, 2.50]", ["1", "2.50"]),
        ('{"text": ["a"]}', {"text": ["a"]}),
        ('"a\\u2028\\ud83d\\ude00"', "a\u2028\U0001f600"),
    ],
)
def test_a_value_of_json_stays_what_it_is(tmp_path: Path, line: str, value: Any) -> None:
    assert rows_of(tmp_path / "train.jsonl", f'{{"x": {line}}}\n') == [{"x": value}]


def test_numbers_of_a_column_are_kept_as_they_stand(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "train.jsonl", '{"x": 1}\n{"x": 2.5}\n{"x": null}\n')
    assert [row["x"] for row in rows] == ["1", "2.5", None]


def test_json_lines_may_be_long_sparse_and_apart(tmp_path: Path) -> None:
    long = "x" * 2_400_000
    content = f'\ufeff{{"a": "{long}"}}\r\n\n  {{"b": "y\u2028z"}}  '
    assert rows_of(tmp_path / "train.jsonl", content) == [{"a": long, "b": None}, {"a": None, "b": "y\u2028z"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x": "a"}\n{"x": "caf\xe9"}\n', ", byte 21 (line 2): not UTF-8: 0xe9, save it as UTF-8"),
        ('{"x": "a"}\n{"x": "b"\n', ', line 2, column 10: not JSON: Expecting \',\' delimiter, got {"x": "b"'),
        ('[{"x": "a"}]', ', line 1: each line must be a JSON object, {"column": value}, got [{"x": "a"}]'),
        ('{"x": 1, "x": 2}', ', line 1: field \'x\' stands twice in an object, got {"x": 1, "x": 2}'),
        ('{"o": {"x": 1, "x": 2}}', ", line 1: field 'x' stands twice in an object"),
        ('{"x": NaN}', ', line 1: NaN is no JSON number, write null, got {"x": NaN}'),
        ('{"x": -Infinity}', ", line 1: -Infinity is no JSON number, write null"),
        ('{"x": "\\ud800"}', ", line 1: half a surrogate pair is no text"),
        ('{"x": 1}\n{"x": "a"}', ", line 2: field 'x' is text, but a number in line 1 of train.jsonl"),
        ('{"x": ["a"]}\n{"x": "a"}', ", line 2: field 'x' is text, but a list in line 1 of train.jsonl"),
        ('{"x": [["a"], "b"]}', ", line 1 and on: field 'x' holds values of different kinds"),
        ("[" * 100_000, ", line 1: lists or objects too deep inside each other"),
        ('{"x": ' + "1" * 5000 + "}", ", line 1: Exceeds the limit"),
    ],
)
def test_json_lines_that_are_wrong(tmp_path: Path, content: str | bytes, message: str) -> None:
    (tmp_path / "train.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(tmp_path).startswith(f"raw rows: file 'train.jsonl'{message}")


# --- Parquet ---


def test_parquet_keeps_what_it_declares(tmp_path: Path) -> None:
    values = {"a": 2**60, "b": Decimal("1.50"), "c": date(2024, 1, 5), "d": b"\xe9", "e": ["x"], "f": True}
    table = pa.Table.from_pylist([values]).append_column("g", pa.array(["x"]).dictionary_encode())
    parquet.write_table(table, tmp_path / "train.parquet")
    assert read(tmp_path)["train"].to_pylist() == [{**values, "g": "x"}]


def test_the_name_of_a_folder_is_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "label=1"
    folder.mkdir()
    parquet.write_table(pa.table({"x": ["a"]}), folder / "train.parquet")
    assert read(folder)["train"].to_pylist() == [{"x": "a"}]


def test_text_in_parquet_that_is_not_utf8(tmp_path: Path) -> None:
    text = pa.StringArray.from_buffers(1, pa.array([0, 4], pa.int32()).buffers()[1], pa.py_buffer(b"caf\xe9"))
    parquet.write_table(pa.table({"x": text}), tmp_path / "train.parquet")
    assert refused(tmp_path).startswith("raw rows: file 'train.parquet' cannot be read as Parquet: ")


def test_two_columns_of_parquet_with_one_name(tmp_path: Path) -> None:
    parquet.write_table(pa.table([["a"], ["b"]], names=["x", "x"]), tmp_path / "train.parquet")
    assert refused(tmp_path) == "raw rows: file 'train.parquet': two columns are named 'x'"


def test_a_damaged_parquet_file_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    parquet.write_table(pa.Table.from_pylist([{"x": f"some text {n}", "y": n} for n in range(50)]), path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            read(tmp_path)["train"].to_pylist()
        except ConfigError as error:
            assert "train.parquet" in str(error)
    path.write_bytes(whole[:-3])
    assert refused(tmp_path).startswith("raw rows: file 'train.parquet' cannot be read as Parquet: ")


# --- folders ---


def parts(folder: Path, ending: str, *contents: str) -> None:
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"part-0000{number}{ending}").write_text(content)
    (folder / "_SUCCESS").touch()
    (folder / f".part-00000{ending}.crc").write_bytes(b"crc")


def test_part_files_are_one_split_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").mkdir()
    for number, values in enumerate((["a"], [None], ["b", "c"])):
        parquet.write_table(pa.table({"x": values}), tmp_path / "train.parquet" / f"part-0{number}.snappy.parquet")
    (tmp_path / "train.parquet" / "_SUCCESS").touch()
    parts(tmp_path / "dev.csv", ".csv", "x\na\n", "", "x\nb\n")
    parts(tmp_path / "test.jsonl", ".json", '{"x": 1.5}\n', '{"x": 1.50, "y": "z"}\n')
    assert {name: table.to_pylist() for name, table in read(tmp_path).items()} == {
        "train": [{"x": "a"}, {"x": None}, {"x": "b"}, {"x": "c"}],
        "dev": [{"x": "a"}, {"x": "b"}],
        "test": [{"x": "1.5", "y": None}, {"x": "1.50", "y": "z"}],
    }


def test_hidden_files_are_no_rows(tmp_path: Path) -> None:
    for name in ("._train.csv", ".train.csv", "_train.csv"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "train-checkpoint.csv").write_text("x\na\n")
    assert not RowsFolder(filepath=str(tmp_path)).exists()
    assert rows_of(tmp_path / "train.csv", "x\na\n") == [{"x": "a"}]


def _differ(folder: Path) -> None:
    parts(folder / "train.csv", ".csv", "x,y\na,0\n", "y,x\n0,a\n")


def _kinds(folder: Path) -> None:
    (folder / "train.parquet").mkdir()
    for name, values in (("a", ["x"]), ("b", [1])):
        parquet.write_table(pa.table({"x": values}), folder / "train.parquet" / f"{name}.parquet")


def _names(folder: Path) -> None:
    (folder / "train.parquet").mkdir()
    for name in ("a", "b"):
        parquet.write_table(pa.table({name: ["x"]}), folder / "train.parquet" / f"{name}.parquet")


def _json_kinds(folder: Path) -> None:
    parts(folder / "train.jsonl", ".jsonl", '{"x": "a"}\n', '\n{"x": 1}\n')


def _nested(folder: Path) -> None:
    (folder / "train.csv" / "label=0").mkdir(parents=True)


def _stranger(folder: Path) -> None:
    parts(folder / "train.csv", ".csv", "x\na\n")
    (folder / "train.csv" / "notes.txt").touch()


def _formats(folder: Path) -> None:
    (folder / "train.csv").write_text("x\na\n")
    parts(folder / "train.jsonl", ".jsonl", '{"x": "a"}\n')


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda folder: (folder / "train.csv").mkdir(),
            "folder 'train.csv' holds no rows. Allowed: part files named *",
        ),
        (lambda folder: (folder / "train.csv").symlink_to("train.csv"), "'train.csv' (a link) cannot be read: "),
        (lambda folder: (folder / "train.csv").symlink_to("gone"), "'train.csv' (a link) cannot be read: No such file"),
        (lambda folder: os.mkfifo(folder / "train.csv"), "'train.csv' is neither a file nor a folder of part files"),
        (_differ, "file 'train.csv/part-00001.csv' has columns ['y', 'x'], but 'train.csv/part-00000.csv' has "),
        (_names, "file 'train.parquet/b.parquet' has columns ['b'], but 'train.parquet/a.parquet' has ['a']"),
        (_kinds, "part files of 'train.parquet' differ: "),
        (
            _json_kinds,
            "file 'train.jsonl/part-00001.jsonl', line 2: field 'x' is a number, but text in line 1 of part-",
        ),
        (_nested, "folder 'train.csv' holds 'label=0', which is no part file. Allowed: part files named *.csv"),
        (_stranger, "folder 'train.csv' holds 'notes.txt', which is no part file"),
        (_formats, "holds split 'train' in two formats, keep one"),
        (lambda folder: (folder / "train.txt").touch(), "it must hold files named <split>.parquet, <split>.csv, "),
    ],
)
def test_a_folder_that_is_wrong(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path)
    assert refused(tmp_path).startswith("raw rows: ")
    assert message in refused(tmp_path)


def test_a_link_to_rows_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("x\na\n")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "train.csv").symlink_to(tmp_path / "rows.txt")
    assert read(tmp_path / "raw")["train"].to_pylist() == [{"x": "a"}]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
def test_what_the_system_does_not_let_us_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(path: Path) -> bytes:
        raise OSError(error.errno, error.strerror, str(path))

    (tmp_path / "train.csv").write_text("x\na\n")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert refused(tmp_path) == f"raw rows: 'train.csv' cannot be read: {error.strerror}"


# --- identity ---


def test_the_fingerprint_is_of_the_files_that_are_read(tmp_path: Path) -> None:
    def fingerprint() -> str:
        return RowsFolder(filepath=str(tmp_path)).fingerprint()

    parts(tmp_path / "train.jsonl", ".json", json.dumps({"x": "a"}), json.dumps({"x": "b"}))
    (tmp_path / "test.csv").write_text("x\na\n")
    first = fingerprint()
    (tmp_path / "._test.csv").write_text("other")
    (tmp_path / "train.jsonl" / "_SUCCESS").write_text("other")
    assert fingerprint() == first
    (tmp_path / "train.jsonl" / "part-00001.json").write_text('{"x": "c"}')
    second = fingerprint()
    (tmp_path / "train.jsonl" / "part-00001.json").rename(tmp_path / "train.jsonl" / "part-00002.json")
    assert len({first, second, fingerprint()}) == 3
    assert [path.name for path in raw_files.files_of_splits(tmp_path)] == [
        "test.csv",
        "part-00000.json",
        "part-00002.json",
    ]


# --- one file ---


def test_a_file_alone_is_the_training_split(tmp_path: Path) -> None:
    path = tmp_path / "my tickets.csv"
    path.write_text("text\none\n")
    rows = RowsFolder(filepath=str(path))
    before = rows.fingerprint()
    assert {name: table.to_pylist() for name, table in read(path).items()} == {"train": [{"text": "one"}]}
    assert rows.exists()
    path.write_text("text\ntwo\n")
    assert rows.fingerprint() != before
    path.rename(tmp_path / "other.csv")
    assert not rows.exists()
    assert RowsFolder(filepath=str(tmp_path / "other.csv")).fingerprint() not in (before, "")


def test_a_folder_of_part_files_may_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").mkdir()
    for number in range(2):
        (tmp_path / f"all.jsonl/part-{number}.json").write_text(json.dumps({"text": number}) + "\n")
    assert read(tmp_path / "all.jsonl")["train"].to_pylist() == [{"text": 0}, {"text": 1}]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    assert refused(tmp_path / "rows.xlsx") == (
        f"raw rows: file '{tmp_path}/rows.xlsx' has an ending that is not read. Allowed: .parquet, .csv, .jsonl"
    )
