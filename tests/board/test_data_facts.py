"""What is said of a task's raw rows."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from peft_pipelines.board import data_facts
from peft_pipelines.board.data_facts import facts
from peft_pipelines.config import TaskSpec, parse

ROW = {
    "name": "mood",
    "type": "classification",
    "splits": {"train": "train", "test": "dev"},
    "instruction": "Good or bad?",
    "input": "{text}",
    "label": "label",
    "labels": {0: "bad", 1: "good"},
    "metrics": ["accuracy"],
    "max_new_tokens": 5,
    "licence": "-",
    "citation": "-",
}


def test_rows_are_counted_by_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = parse(TaskSpec, "task 'mood'", ROW)
    rows = [{"text": f"line {number}\nand another", "label": number % 2} for number in range(1200)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    (tmp_path / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:3]), encoding="utf-8")
    assert facts(task, tmp_path) == "1,200 rows to train, 3 rows to test"
    (tmp_path / "dev.jsonl").write_text("nothing\n", encoding="utf-8")
    assert facts(task, tmp_path).startswith("its rows cannot be read: raw rows")
    monkeypatch.setattr(data_facts, "MOST_BYTES", 10)
    (tmp_path / "dev.jsonl").write_text('{"text": "a", "label": 1}\n', encoding="utf-8")
    assert facts(task, tmp_path) == "1,200 rows to train, 0 MB of rows to test"


def test_rows_that_are_not_here_are_said(tmp_path: Path) -> None:
    task, hub = (parse(TaskSpec, "task 'mood'", row) for row in (ROW, {**ROW, "source": {"repo": "a/b"}}))
    assert facts(task, tmp_path / "none") == "its rows are not on this machine"
    assert facts(hub, tmp_path / "none") == "its rows come from the hub"
    (tmp_path / "mine.csv").write_text('text,label\n"a\nb",1\n', encoding="utf-8")
    assert facts(task, tmp_path / "mine.csv") == "1 rows"
