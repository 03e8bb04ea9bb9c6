"""Versions are handed on by the run: a clock that is set back, or a folder with a later name, changes nothing."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.runner.task import Task
from trivial import CALLS, PARAMETERS, catalog, pipeline, ran

from peft_pipelines.running.kedro_runners import forget_records
from peft_pipelines.running.state import State
from peft_pipelines.running.units import split

LATER, EARLIER, EARLIEST = "2026-02-02T00.00.00.000Z", "2026-01-02T00.00.00.000Z", "2026-01-01T00.00.00.000Z"
RESCALED = deepcopy(PARAMETERS) | {"scale": 200}
CHECKPOINT = "a.m-x-s0-checkpoint"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose cells were made anew, from 60 instead of 50, behind a clock that was set back."""
    ran(pipeline(), catalog(tmp_path, version=LATER))
    (tmp_path / "raw" / "x.json").write_text("60")
    ran(pipeline(), catalog(tmp_path, version=EARLIER))
    return tmp_path


def points(folder: Path) -> Any:
    return json.loads((folder / "m/x/a/s0/metrics.json").read_text())["primary"]


def versions(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "m/x/a/s0/checkpoint.json").iterdir())


def test_a_run_loads_what_it_saved(store: Path) -> None:
    assert versions(store) == [EARLIER, LATER]
    assert points(store) == 0.6


def test_a_later_run_loads_what_is_on_record(store: Path) -> None:
    assert ran(pipeline(), catalog(store, version=EARLIEST)) == []
    assert "score.a.x" in ran(pipeline(), catalog(store, RESCALED, EARLIEST))
    assert "train.a.x" not in CALLS
    assert points(store) == 0.3


def test_a_report_alone_loads_what_is_on_record(store: Path) -> None:
    found = catalog(store, version=EARLIEST)
    report = pipeline().filter(node_names=["collect"])
    assert ran(report, found) == []
    assert found.load(CHECKPOINT)["prompts"] == ["?", 60]


def test_a_version_that_is_asked_for_by_name_stays(store: Path) -> None:
    found = catalog(store, version=EARLIEST, **{CHECKPOINT: LATER})
    assert ran(pipeline(), found) == ["score.a.x"]
    assert points(store) == 0.5
    assert ran(pipeline(), catalog(store, version=EARLIEST)) == ["score.a.x"]
    assert points(store) == 0.6


def test_a_folder_with_a_later_name_is_not_what_was_made(store: Path) -> None:
    other = store / "m/x/a/s0/checkpoint.json/2999-01-01T00.00.00.000Z/checkpoint.json"
    other.parent.mkdir()
    other.write_text('{"prompts": ["?", 1]}')
    assert "score.a.x" in ran(pipeline(), catalog(store, RESCALED, EARLIEST))
    assert "train.a.x" not in CALLS
    assert points(store) == 0.3


def test_a_version_that_is_gone_is_made_again_and_no_older_one_taken(store: Path) -> None:
    (store / "m/x/a/s0/checkpoint.json" / EARLIER / "checkpoint.json").unlink()
    assert ran(pipeline(), catalog(store, version=EARLIEST)) == ["construct.a", "train.a.x", "score.a.x"]
    assert points(store) == 0.6


def test_the_stock_runner_loads_what_it_saved_too(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path, version=LATER))
    (tmp_path / "raw" / "x.json").write_text("60")
    found = catalog(tmp_path, version=EARLIER)
    for node in pipeline().nodes:
        forget_records(node, found)
        Task(node, found, False, _NullPluginManager()).execute()
    assert points(tmp_path) == 0.6


def test_what_a_killed_run_saved_and_did_not_record_goes(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path, version=EARLIER))
    (tmp_path / "raw" / "x.json").write_text("60")
    killed = catalog(tmp_path, version=LATER)
    unit = next(unit for unit in split(pipeline().nodes, {}).cells if unit.tag == "cell.a.m.x.s0")
    State(unit, unit.folder(killed)).begin(killed, list(unit.nodes))
    killed.save(CHECKPOINT, {})
    assert versions(tmp_path) == [EARLIER, LATER]
    assert ran(pipeline(), catalog(tmp_path, version=EARLIEST))[-3:] == ["construct.a", "train.a.x", "score.a.x"]
    assert versions(tmp_path) == [EARLIEST, EARLIER]
    assert "making" not in json.loads((tmp_path / "m/x/a/s0/state.json").read_text())
