"""The order of runs, and their ids, where the clock is of no help."""

from pathlib import Path

import pytest
from project import Project
from recorded import RUNS, ids, lines, original, recorded  # noqa: F401

from peft_pipelines.tracking.order import ORDER, in_order, reserve


def test_runs_are_in_order_as_they_began_and_those_not_noted_come_first(tmp_path: Path) -> None:
    assert in_order(tmp_path, ["b", "a"]) == ["a", "b"]
    for run_id in ("c", "a"):
        reserve(tmp_path / run_id)
    assert in_order(tmp_path, ["a", "b", "c", "d"]) == ["b", "d", "c", "a"]
    (tmp_path / ORDER).write_bytes(b"\xff\x00c\n\na\n")
    assert in_order(tmp_path, ["a", "c"]) == ["c", "a"]


def clock(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the next sessions this id."""
    monkeypatch.setattr("kedro.framework.session.session.generate_timestamp", lambda: f"{at[:-4]}Z")
    monkeypatch.setattr("time.time_ns", lambda: int(at[-4:-1]) * 1000)


def test_the_newest_run_is_the_one_that_began_last(
    recorded: Project,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock("2020-01-01T00.00.00.000000Z", monkeypatch)
    assert recorded.kedro("run").exit_code == 0
    assert ids()[0] == "2020-01-01T00.00.00.000000Z" and len(ids()) == 2
    assert lines(recorded.kedro("verify"))[-1].startswith("run 2020-01-01T00.00.00.000000Z: all ")
    (RUNS / ORDER).unlink()
    assert lines(recorded.kedro("verify"))[-1].startswith(f"run {ids()[1]}: all ")


TAKEN = "another run of this store began in the same microsecond and has this id; give the command again"


def test_a_run_with_the_id_of_another_is_refused_and_writes_nothing(
    recorded: Project,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (first,) = ids()
    clock(first, monkeypatch)
    recorded.parameters["training"]["epochs"] = 2
    before = {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()}
    done = recorded.kedro("run")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"Error: run '{first}': {TAKEN}"
    assert {path: path.read_bytes() for path in Path("data").rglob("*") if path.is_file()} == before


def test_runs_of_one_millisecond_have_ids_of_their_own(
    recorded: Project,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kedro.framework.session.session.generate_timestamp", lambda: "2020-01-01T00.00.00.000Z")
    for _ in range(2):
        assert recorded.kedro("run").exit_code == 0
    assert len([name for name in ids() if name.startswith("2020-01-01T00.00.00.000")]) == 2
