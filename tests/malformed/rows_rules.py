"""What can be wrong with raw rows: each format with each fault that it can have, and labels that match none."""

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from malformed import Rule, rows, task
from pyarrow import parquet

GOOD = [{"sentence": f"line {number}", "label": number % 2} for number in range(12)]
TEXT = "".join(json.dumps(row) + "\n" for row in GOOD)
CELLS = "sentence,label\n" + "".join(f"{row['sentence']},{row['label']}\n" for row in GOOD)
SPLITS = ("train", "test")


def csv(content: str | bytes) -> Callable[[Path], object]:
    return partial(rows, split="train", content=content, suffix=".csv")


def jsonl(content: str | bytes) -> Callable[[Path], object]:
    return partial(rows, split="train", content=content, suffix=".jsonl")


def table(split: str, given: list[dict[str, Any]], folder: Path) -> None:
    """Give a split a Parquet file of some rows."""
    rows(folder, split, b"", ".parquet")
    parquet.write_table(pa.Table.from_pylist(given), folder / "raw" / "mood" / f"{split}.parquet")


def entry(make: Callable[[Path], object], name: str, folder: Path) -> None:
    """Give the training split something else than a file."""
    rows(folder, "train", b"", ".txt")
    (folder / "raw" / "mood" / "train.txt").unlink()
    make(folder / "raw" / "mood" / name)


def column(name: str, value: Any) -> list[dict[str, Any]]:
    return [{**row, name: value} for row in GOOD]


def parts(folder: Path, *contents: str) -> None:
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for number, content in enumerate(contents):
        (folder / f"part-{number}{folder.suffix}").write_text(content, encoding="utf-8")


def labelled(labels: dict[Any, Any], folder: Path, csv_labels: tuple[str, str] | None = None) -> None:
    """Give the task other labels, and both splits a CSV file with these."""
    task(folder, labels=labels)
    for split in SPLITS if csv_labels else ():
        cells = "".join(f"line {number},{csv_labels[number % 2]}\n" for number in range(12)) if csv_labels else ""
        rows(folder, split, f"sentence,label\n{cells}", ".csv")


ENCODINGS = [
    Rule(f"{suffix} in {codec}", partial(rows, split="train", content=text.encode(codec), suffix=suffix), says)
    for suffix, text in ((".csv", CELLS + "café,1\n"), (".jsonl", TEXT + '{"sentence": "café", "label": 1}\n'))
    for codec, says in (
        ("cp1252", ["byte ", "0xe9", "not UTF-8", f"train{suffix}"]),
        ("cp850", ["byte ", "0x82", "not UTF-8"]),
        ("utf-16", ["byte 0", "UTF-16", "save it as UTF-8"]),
        ("utf-16-le", ["byte 1", "NUL byte"]),
        ("utf-32-be", ["byte 0", "NUL byte"]),
    )
]
DAMAGED = [
    Rule(
        f"{split} of {len(content)} bytes that are no {suffix}",
        partial(rows, split=split, content=content, suffix=suffix),
        says,
    )
    for split in SPLITS
    for content, suffix, says in (
        (b"PAR1PAR1", ".parquet", ["cannot be read as Parquet"]),
        (b"no parquet at all", ".parquet", ["cannot be read as Parquet"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ".csv", ["not UTF-8"]),
        (b"\x1f\x8b\x08\x00\x00\x00", ".jsonl", ["not UTF-8"]),
        (b"", ".csv", ["empty"]),
        (b"\n\n", ".jsonl", ["empty"]),
        (b"sentence,label\n", ".csv", ["empty"]),
    )
]
CSV = [
    Rule(name, csv(content), says)
    for name, content, says in (
        ("a cell too many", "sentence,label\na,b,1\n", ["line 2", "expected 2 columns, got 3"]),
        ("a cell too few", "sentence,label\na,1\nb\n", ["line 3", "expected 2 columns, got 1"]),
        ("a cell too few behind a text of lines", 'sentence,label\n"a\nb",1\nc\n', ["line 4", "got 1"]),
        ("a quote that stays open", 'sentence,label\n"a,1\nb,0\n', ["line 2", "a quote is not closed"]),
        ("text behind a quote", 'sentence,label\n"a"b,1\n', ["line 2", "',' expected"]),
        ("two columns of one name", "label,sentence,label\n1,a,0\n", ["line 1", "named 'label'"]),
        ("a column without a name", "sentence,,label\na,b,1\n", ["column 2 has no name"]),
        ("semicolons", "sentence;label\na;1\n", ["unknown column 'sentence'", "sentence;label"]),
        ("an empty label", CELLS.replace("line 3,1", "line 3,"), ["label ''", "hidden"]),
        ("a label in words", CELLS.replace("line 3,1", "line 3,good"), ["unknown label 'good'"]),
        ("a blank text", CELLS.replace("line 3,1", "   ,1"), ["row 3", "empty input"]),
    )
]
JSONL = [
    Rule(name, jsonl(content), says)
    for name, content, says in (
        ("a line that is cut", TEXT + '{"sentence": "a"', ["line 13", "not JSON"]),
        ("a list in place of lines", json.dumps(GOOD), ["line 1", "must be a JSON object"]),
        ("an array over lines", json.dumps(GOOD, indent=1), ["line 1", "not JSON"]),
        ("a number for a row", TEXT + "5\n", ["line 13", "must be a JSON object"]),
        ("a field twice", TEXT + '{"sentence": "a", "label": 1, "label": 0}\n', ["line 13", "'label' stands twice"]),
        ("not a number", TEXT + '{"sentence": "a", "label": NaN}\n', ["line 13", "NaN"]),
        ("infinity", TEXT + '{"sentence": "a", "label": Infinity}\n', ["line 13", "Infinity"]),
        ("half a character", TEXT + '{"sentence": "\\ud800", "label": 1}\n', ["line 13", "surrogate"]),
        ("a number among texts", TEXT + '{"sentence": 5, "label": 1}\n', ["line 13", "'sentence' is a number"]),
        ("a text among numbers", TEXT + '{"sentence": "a", "label": "1"}\n', ["line 13", "'label' is text"]),
        ("a list among texts", TEXT + '{"sentence": ["a"], "label": 1}\n', ["line 13", "'sentence' is a list"]),
        ("brackets without end", "[" * 50_000, ["line 1", "too deep"]),
        ("a number of 5000 digits", f'{{"sentence": "a", "label": {"1" * 5000}}}', ["line 1", "limit"]),
        ("single quotes", "{'sentence': 'a', 'label': 1}\n", ["line 1", "not JSON"]),
        ("a text of null", TEXT.replace('"line 3"', "null"), ["row 3", "'sentence' is null"]),
        ("a label of null", TEXT + '{"sentence": "a", "label": null}\n', ["'label' is null"]),
        ("no such column", TEXT.replace("sentence", "text"), ["unknown column 'sentence'", "text, label"]),
    )
]
KINDS = [
    Rule(
        f"a {name} of {kind} in the {split} split",
        partial(table, split, column(name, value)),
        [f"'{name}'", kind, split],
    )
    for split in SPLITS
    for name in ("sentence", "label")
    for kind, value in (
        ("a list", ["a"]),
        ("an object", {"a": "b"}),
        ("binary", b"caf\xe9"),
        ("a date", date(2024, 1, 5)),
        ("a point in time", datetime(2024, 1, 5)),
        ("no number", float("nan")),
    )
]
FOLDERS = [
    Rule(name, partial(entry, make, file), says)
    for name, make, file, says in (
        ("a folder without part files", Path.mkdir, "train.csv", ["train.csv", "holds no rows"]),
        ("a link to itself", lambda path: path.symlink_to(path.name), "train.csv", ["a link", "cannot be read"]),
        ("a link to nothing", lambda path: path.symlink_to("gone"), "train.jsonl", ["a link", "No such file"]),
        ("a pipe", os.mkfifo, "train.csv", ["neither a file nor a folder"]),
        ("a folder in a folder", lambda path: (path / "label=0").mkdir(parents=True), "train.csv", ["'label=0'"]),
        ("a folder without an ending", Path.mkdir, "train", ["unknown split 'train'"]),
        ("part files of other columns", lambda path: parts(path, CELLS, "a,b\n1,2\n"), "train.csv", ["part-1.csv"]),
        (
            "part files of other kinds",
            lambda path: parts(path, TEXT, '{"label": "a"}'),
            "train.jsonl",
            ["'label' is text"],
        ),
        ("a part file that is cut", lambda path: parts(path, TEXT, "{"), "train.jsonl", ["part-1.jsonl", "line 1"]),
        ("a hidden file alone", lambda path: path.write_text(CELLS), "._train.csv", ["unknown split 'train'"]),
    )
]
LABELS = [
    Rule(f"labels {labels} and values {given}", partial(labelled, labels, csv_labels=given), says)
    for labels, given, says in (
        ({0: "bad", "0": "good"}, None, ["the keys 0 and '0' match the same label"]),
        ({1: "bad", "1.0": "good"}, None, ["match the same label"]),
        ({True: "bad", "True": "good"}, None, ["match the same label"]),
        ({False: False, True: True}, None, ["quote it"]),
        ({0: False, 1: True}, None, ["quote it"]),
        ({0: 5, 1: 6}, None, ["must be text, got 5", "quote it"]),
        ({False: "bad", True: "good"}, ("no", "yes"), ["unknown label 'no'", "quote it"]),
        ({0: "bad", 1: "good"}, ("-1", "-1"), ["label '-1' is a hidden test label"]),
        ({0: "bad", 1: "good"}, ("0.5", "1"), ["unknown label '0.5'"]),
        ({7: "bad", 1: "good"}, ("007", "1"), ["unknown label '007'"]),
    )
]
FINE = [
    Rule(
        f"fine: labels {labels}",
        partial(labelled, labels, csv_labels=given),
        [],
        ("run", "--pipeline=data"),
        succeeds=True,
    )
    for labels, given in (
        ({True: "good", False: "bad"}, ("true", "false")),
        ({0: "bad", 1: "good"}, ("0.0", "1.0")),
        ({-1: "bad", 1: "good"}, ("-1", "1")),
    )
]
RULES = [*ENCODINGS, *DAMAGED, *CSV, *JSONL, *KINDS, *FOLDERS, *LABELS, *FINE]
