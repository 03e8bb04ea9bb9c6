"""``kedro compare``: which scores moved between two runs, and whether beyond noise."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import PARAMETERS, Project
from recorded import ids, lines, original, recorded  # noqa: F401

from peft_pipelines.tracking.compare import moves, moves_table
from peft_pipelines.tracking.runs import Run

CELL = "a.m.mood.s0"


def run(folder: Path, name: str, cells: dict[str, list[bool]], *, shift: int = 0) -> Run:
    """A run on record in which each cell got these items right; ``shift`` gives the items other texts."""
    entries = {}
    for cell, right in cells.items():
        rows = [
            {
                "prompt": f"Good or bad?\n\n{number + shift}",
                "references": ["good"],
                "prediction": "good" if hit else "bad",
            }
            for number, hit in enumerate(right)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (folder / "predictions").mkdir(parents=True, exist_ok=True)
        (folder / f"predictions/{digest}.jsonl").write_text(text)
        entries[cell] = {
            "status": "done",
            "artifacts": {"predictions": {"sha256": {"predictions.jsonl": digest}}},
            "numbers": {"accuracy": sum(right) / len(right)},
        }
    (folder / name).mkdir()
    task: dict[str, Any] = {**PARAMETERS["tasks"]["mood"], "name": "mood"}
    (folder / name / "rows.yml").write_text(yaml.safe_dump({"tasks": {"mood": task}}))
    digest = hashlib.sha256((folder / name / "rows.yml").read_bytes()).hexdigest()
    facts = {"run_id": name, "status": "done", "started": "-", "rows_sha256": digest}
    facts |= {"environment": {}, "modules_sha256": "-", "cells": entries}
    (folder / name / "manifest.json").write_text(json.dumps(facts))
    return Run(folder / name)


def hits(count: int, of: int = 40) -> list[bool]:
    return [number < count for number in range(of)]


def test_a_large_move_on_the_same_items_is_beyond_noise(tmp_path: Path) -> None:
    (move,) = moves(run(tmp_path, "1", {CELL: hits(10)}), run(tmp_path, "2", {CELL: hits(30)})).moved
    assert (move.metric, move.first, move.second, move.test) == ("accuracy", 0.25, 0.75, "mcnemar")
    assert move.p == pytest.approx(2 / 2**20)  # 20 items turned right, none wrong
    assert move.adjusted < 0.05 < move.low


def test_a_small_move_is_not(tmp_path: Path) -> None:
    (move,) = moves(run(tmp_path, "1", {CELL: hits(20)}), run(tmp_path, "2", {CELL: hits(21)})).moved
    assert move.p == 1.0


def test_other_items_are_compared_by_their_intervals(tmp_path: Path) -> None:
    first, second = run(tmp_path, "1", {CELL: hits(10)}), run(tmp_path, "2", {CELL: hits(30, 40)}, shift=100)
    (move,) = moves(first, second).moved
    assert move.test == "unpaired"
    assert move.low == pytest.approx(0.5 - 1.96 * (2 * 0.25 * 0.75 / 40) ** 0.5, abs=1e-3)
    assert move.adjusted < 0.001


def test_moves_are_sorted_by_size_and_adjusted_by_holm(tmp_path: Path) -> None:
    cells = {"a.m.mood.s0": hits(20), "b.m.mood.s0": hits(20), "c.m.mood.s0": hits(20), "d.m.mood.s0": hits(5)}
    later = {"a.m.mood.s0": hits(26), "b.m.mood.s0": hits(35), "c.m.mood.s0": hits(20), "e.m.mood.s0": hits(5)}
    found = moves(run(tmp_path, "1", cells), run(tmp_path, "2", later))
    assert [move.cell[0] for move in found.moved] == ["b", "a"]
    assert found.unchanged == 1
    assert (found.only_first, found.only_second) == (["d.m.mood.s0"], ["e.m.mood.s0"])
    assert found.moved[1].p == pytest.approx(2 / 2**6)
    assert found.moved[1].adjusted == pytest.approx(2 / 2**6)
    assert found.moved[0].adjusted == pytest.approx(2 * 2 / 2**15)


def test_other_answers_with_the_same_score_have_not_moved(tmp_path: Path) -> None:
    found = moves(run(tmp_path, "1", {CELL: hits(20)}), run(tmp_path, "2", {CELL: hits(20)[::-1]}))
    assert (found.moved, found.unchanged) == ([], 1)


def test_the_table_says_it(tmp_path: Path) -> None:
    first, second = run(tmp_path, "1", {CELL: hits(10)}), run(tmp_path, "2", {CELL: hits(30)})
    text = moves_table(moves(first, second), first, second)
    assert "+50.0" in text
    assert "yes" in text
    assert "1 scores moved, 1 of them beyond" in " ".join(text.split())


def test_a_run_beside_itself_has_not_moved(recorded: Project) -> None:  # noqa: F811
    (run_id,) = ids()
    answer = recorded.kedro("compare", run_id, run_id)
    assert answer.exit_code == 0, answer.output
    assert "0 scores moved" in lines(answer)[0]
