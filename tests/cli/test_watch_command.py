"""``kedro watch``: a run that goes on is seen from outside, and no trace of the watching stays."""

from pathlib import Path

import pytest
from project import Project, project
from signs import begun, ended

from peft_pipelines.cli import watch_command
from peft_pipelines.running import progress_file
from peft_pipelines.tracking.watch import Watch

__all__ = ["project"]

RUNS = Path("data/08_reporting/runs")


def test_a_run_is_seen_while_it_goes_on_and_leaves_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    write = progress_file.write

    def write_and_look(folder: Path, now: progress_file.Snapshot) -> None:
        write(folder, now)
        ((run,), faults) = Watch(RUNS).look()
        seen.extend([*faults, *run.lines])

    monkeypatch.setattr(progress_file, "write", write_and_look)
    monkeypatch.setattr(progress_file, "OFTEN", 0.01)
    assert project.kedro("run").exit_code == 0
    assert any(line.startswith("  zero_shot · tiny · mood · s0: generate") for line in seen)
    assert any(line.startswith("  report: ") for line in seen)
    assert not list(RUNS.rglob(progress_file.PROGRESS))
    assert project.kedro("watch").stdout.startswith("no run is under way in this store; the last one, ")


def test_it_follows_until_the_run_has_ended(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(RUNS, "r1", cells=2)
    monkeypatch.setattr(watch_command, "sleep", lambda seconds: ended(RUNS, "r1"))
    first, last = project.kedro("watch").stdout.splitlines()
    assert first.startswith("run r1 on h (process 7): 0 of 2 cells after ")
    assert last == "run r1 has ended: done"


def test_mistakes_are_told_in_one_line(project: Project) -> None:
    for arguments, line in {
        ("--env=nope",): "Error: --env: unknown environment 'nope'. Allowed: ",
        ("--onse",): "Error: peft_pipelines watch: unknown option '--onse', did you mean '--once'?",
    }.items():
        result = project.kedro("watch", *arguments)
        assert result.exit_code != 0
        assert result.stderr.startswith(line), result.stderr
        assert len(result.stderr.splitlines()) == 1
