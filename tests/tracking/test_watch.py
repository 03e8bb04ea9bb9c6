"""Runs under way as others see them: alive, dead, ended, damaged, several in one store."""

from pathlib import Path

import pytest
from signs import ELSEWHERE, GONE, begun, ended

from peft_pipelines.running.progress_file import PROGRESS
from peft_pipelines.running.run_progress import Doing
from peft_pipelines.tracking import watch
from peft_pipelines.tracking.watch import News, Watch


def heads(runs: Path) -> list[str]:
    return [" | ".join(run.lines) for run in Watch(runs).look()[0]]


def test_several_runs_are_shown_as_they_began(tmp_path: Path) -> None:
    begun(tmp_path, "r2", cells=3, made=1)
    begun(tmp_path, "r1", GONE, silent=60)
    begun(tmp_path, "r3", ELSEWHERE, cells=2, made=2)
    assert heads(tmp_path) == [
        "run r1 on h (process 7): dead, last sign of life 1 min 00 s ago |   before the first cell, after 1 s",
        "run r2 on h (process 7) |   1 of 3 cells after 1 s, an unknown time left",
        "run r3 on h (process 7) |   2 of 2 cells after 1 s",
    ]


def test_the_dead_are_shown_until_a_later_run_has_ended(tmp_path: Path) -> None:
    begun(tmp_path, "r1", GONE)
    ended(tmp_path, "r0")
    assert len(heads(tmp_path)) == 1
    begun(tmp_path, "r0b")
    ended(tmp_path, "r2", "running")  # killed without a sign
    assert len(heads(tmp_path)) == 2
    ended(tmp_path, "r3", "cells failed")
    assert [head[:7] for head in heads(tmp_path)] == ["run r0b"]
    assert Watch(tmp_path).last() == "the last one, r3, has ended: cells failed"


def test_a_machine_whose_clock_differs_is_judged_by_the_own_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(watch, "monotonic", lambda: clock[0])
    looking = Watch(tmp_path)
    begun(tmp_path, "r1", ELSEWHERE, silent=1000)
    assert [run.dead for run in looking.look()[0]] == [True]
    begun(tmp_path, "r1", ELSEWHERE, silent=1000, cells=1)  # it goes on, whatever its clock says
    assert [run.dead for run in looking.look()[0]] == [False]
    clock[0] = 119.0
    assert [(run.dead, run.silent) for run in looking.look()[0]] == [(False, 119.0)]
    clock[0] = 121.0
    assert [run.dead for run in looking.look()[0]] == [True]


def test_what_is_damaged_is_told_and_hides_no_other(tmp_path: Path) -> None:
    begun(tmp_path, "r1")
    begun(tmp_path, "r2")
    (tmp_path / "r2" / PROGRESS).write_text("[]")
    seen, faults = Watch(tmp_path).look()
    assert [run.sign.run_id for run in seen] == ["r1"]
    assert len(faults) == 1 and faults[0].startswith("progress.json of run 'r2' is damaged (content: ")


def test_only_what_is_new_is_told(tmp_path: Path) -> None:
    looking, news = Watch(tmp_path), News(tmp_path)
    step = Doing(place=0, title="a", phase="train", done=1, total=9)
    begun(tmp_path, "r1", cells=2, doing=[step])
    assert [line[:13] for line in news.of(*looking.look())] == ["run r1 on h (", "  a: train 1/"]
    begun(tmp_path, "r1", cells=2, doing=[step.model_copy(update={"done": 5})])
    assert news.of(*looking.look()) == []
    begun(tmp_path, "r1", cells=2, made=1, doing=[])
    assert [line[:33] for line in news.of(*looking.look())] == ["run r1 on h (process 7): 1 of 2 c"]
    ended(tmp_path, "r1", "interrupted")
    assert news.of(*looking.look()) == ["run r1 has ended: interrupted"]
    begun(tmp_path, "r2", GONE, doing=[step])
    assert [line[:30] for line in news.of(*looking.look())] == [
        "run r2 on h (process 7): dead,",
        "  before the first cell, after",
        "  a: train 1/9, under 1 s",
    ]


def test_a_store_without_runs_has_none(tmp_path: Path) -> None:
    assert Watch(tmp_path / "no").look() == ([], [])
    assert Watch(tmp_path / "no").last() == "none has ended"
