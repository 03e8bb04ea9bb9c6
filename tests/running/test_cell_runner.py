"""The runner on cells that take no time: order, skipping, staleness, failures, resuming."""

import gc
import json
import re
import weakref
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import trivial
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from trivial import CALLS, ERRORS, PARAMETERS, catalog, pipeline, ran

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.interruption import Interrupted

ALL = [
    *["adapt.y", "adapt.x"],
    *["construct.b", "train.b.y", "score.b.y", "construct.b", "train.b.x", "score.b.x"],
    *["construct.a", "train.a.y", "score.a.y", "construct.a", "train.a.x", "score.a.x"],
]


@pytest.fixture(autouse=True)
def _no_faults() -> Iterator[None]:
    ERRORS.clear()
    yield
    ERRORS.clear()


def changed(**values: Any) -> dict[str, Any]:
    return deepcopy(PARAMETERS) | values


def cell(folder: Path, method: str = "a", task: str = "x") -> Path:
    return folder / "m" / task / method / "s0"


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_data_come_first_then_cell_by_cell_in_the_order_of_the_grid(tmp_path: Path) -> None:
    assert ran(pipeline(), catalog(tmp_path)) == ALL


def test_a_second_run_does_only_the_report(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "results.json").unlink()
    assert ran(pipeline(), catalog(tmp_path, version="2")) == []
    assert read(tmp_path / "results.json") == {"a.m.x.s0": 0.5, "a.m.y.s0": 0.5, "b.m.x.s0": 0.5, "b.m.y.s0": 0.5}


def test_a_changed_row_makes_its_own_cells_stale(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    methods = PARAMETERS["methods"] | {"a": {"name": "a", "rate": 0.5}}
    again = ran(pipeline(), catalog(tmp_path, changed(methods=methods), "2"))
    assert again == ["construct.a", "train.a.y", "score.a.y", "construct.a", "train.a.x", "score.a.x"]
    assert ran(pipeline(), catalog(tmp_path, changed(methods=methods), "3")) == []


def test_a_changed_raw_row_reaches_the_cells_of_its_task(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "raw" / "x.json").write_text("60")
    again = ran(pipeline(), catalog(tmp_path, version="2"))
    assert again == ["adapt.x", "construct.b", "train.b.x", "score.b.x", "construct.a", "train.a.x", "score.a.x"]
    assert read(cell(tmp_path) / "metrics.json")["primary"] == 0.6


def test_raw_rows_written_anew_with_the_same_content_are_the_same(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "raw" / "x.json").write_text((tmp_path / "raw" / "x.json").read_text())
    assert ran(pipeline(), catalog(tmp_path, version="2")) == []


def test_what_only_scoring_needs_is_scored_again_without_training(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    again = ran(pipeline(), catalog(tmp_path, changed(scale=200), "2"))
    assert again == ["score.b.y", "score.b.x", "score.a.y", "score.a.x"]
    assert read(cell(tmp_path) / "metrics.json")["primary"] == 0.25


@pytest.mark.parametrize(
    ("lost", "again"),
    [
        ("metrics.json", ["score.a.x"]),
        ("checkpoint.json/1/checkpoint.json", ["construct.a", "train.a.x", "score.a.x"]),
        ("state.json", ["construct.a", "train.a.x", "score.a.x"]),
    ],
)
def test_a_lost_file_is_made_again_with_all_behind_it(tmp_path: Path, lost: str, again: list[str]) -> None:
    ran(pipeline(), catalog(tmp_path))
    (cell(tmp_path) / lost).unlink()
    assert ran(pipeline(), catalog(tmp_path, version="2")) == again


def test_a_failed_cell_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    ERRORS["train.b.x"] = ValueError("the loss\nis nan")
    with pytest.raises(PartsFailed) as caught:
        ran(pipeline(), catalog(tmp_path))
    assert [call for call in ALL if call != "score.b.x"] == CALLS
    log = cell(tmp_path, "b") / "failure.log"
    assert str(caught.value) == f"1 of 4 cells failed\n  b · m · x · s0: ValueError: the loss is nan (see {log})"
    failure = read(cell(tmp_path, "b") / "failure.json")
    assert (failure["cell"], failure["type"], failure["reason"]) == ("b.m.x.s0", "ValueError", "the loss is nan")
    assert failure["node"] == "b.m-x-s0-train"
    assert "Traceback" in log.read_text()
    assert read(tmp_path / "results.json")["b.m.x.s0"] is None


def test_a_failed_cell_is_tried_again_and_its_record_goes(tmp_path: Path) -> None:
    ERRORS["train.b.x"] = ValueError("no")
    with pytest.raises(PartsFailed):
        ran(pipeline(), catalog(tmp_path))
    ERRORS.clear()
    assert ran(pipeline(), catalog(tmp_path, version="2")) == ["construct.b", "train.b.x", "score.b.x"]
    assert not (cell(tmp_path, "b") / "failure.json").exists()
    assert not (cell(tmp_path, "b") / "failure.log").exists()


def test_a_stale_cell_that_fails_leaves_no_old_number(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    ERRORS["train.a.x"] = ValueError("no")
    (tmp_path / "raw" / "x.json").write_text("60")
    with pytest.raises(PartsFailed):
        ran(pipeline(), catalog(tmp_path, version="2"))
    assert not (cell(tmp_path) / "metrics.json").exists()
    assert read(tmp_path / "results.json")["a.m.x.s0"] is None


def test_an_error_in_the_data_ends_the_run(tmp_path: Path) -> None:
    ERRORS["adapt.y"] = ConfigError("task 'y': no")
    with pytest.raises(ConfigError, match="task 'y': no"):
        ran(pipeline(), catalog(tmp_path))
    assert CALLS == ["adapt.y"]


def test_an_interrupt_stops_at_once(tmp_path: Path) -> None:
    ERRORS["train.b.x"] = KeyboardInterrupt()
    with pytest.raises(Interrupted) as caught:
        ran(pipeline(), catalog(tmp_path))
    assert str(caught.value) == "interrupted by SIGINT at b · m · x · s0 (train); 1 of 4 cells stand"
    assert ALL[:7] == CALLS
    assert not (cell(tmp_path, "b") / "failure.json").exists()


def test_a_cell_killed_behind_train_goes_on_there(tmp_path: Path) -> None:
    ERRORS["score.b.y"] = KeyboardInterrupt()
    with pytest.raises(Interrupted):
        ran(pipeline(), catalog(tmp_path))
    ERRORS.clear()
    assert ran(pipeline(), catalog(tmp_path, version="2"))[:2] == ["score.b.y", "construct.b"]


def test_a_cell_killed_inside_train_constructs_again(tmp_path: Path) -> None:
    ERRORS["train.b.y"] = KeyboardInterrupt()
    with pytest.raises(Interrupted):
        ran(pipeline(), catalog(tmp_path))
    ERRORS.clear()
    assert ran(pipeline(), catalog(tmp_path, version="2")) == ALL[2:]


def test_a_filtered_pipeline_runs_its_nodes_only_and_agrees_with_the_whole(tmp_path: Path) -> None:
    ran(pipeline().filter(tags=["data.x"]), catalog(tmp_path))
    one = pipeline().filter(tags=["cell.a.m.x.s0"])
    assert ran(one, catalog(tmp_path, version="2")) == ["construct.a", "train.a.x", "score.a.x"]
    assert ran(one.filter(node_names=["a.m-x-s0-score"]), catalog(tmp_path, version="3")) == []
    rest = ran(pipeline(), catalog(tmp_path, version="4"))
    assert rest == [call for call in ALL if call not in ("adapt.x", "train.a.x", "score.a.x")][:-1]


def test_a_cell_without_its_data_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset 'x_prompts' is not there .* run the pipeline data first"):
        ran(pipeline().filter(tags=["cell.a.m.x.s0"]), catalog(tmp_path))


def test_only_missing_outputs_still_asks_the_files_alone(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (cell(tmp_path) / "metrics.json").unlink()
    CALLS.clear()
    CellRunner().run(pipeline(), catalog(tmp_path, changed(scale=200), "2"), only_missing_outputs=True)
    assert CALLS == ["score.a.x"]


def test_a_pinned_version_is_what_is_scored(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "raw" / "x.json").write_text("60")
    ran(pipeline(), catalog(tmp_path, version="2"))
    pin = {"a.m-x-s0-checkpoint": "1"}
    assert ran(pipeline(), catalog(tmp_path, version="3", **pin)) == ["score.a.x"]
    assert read(cell(tmp_path) / "metrics.json")["primary"] == 0.5
    assert ran(pipeline(), catalog(tmp_path, version="4")) == ["score.a.x"]
    assert read(cell(tmp_path) / "metrics.json")["primary"] == 0.6


def test_the_same_table_by_the_stock_runner(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path / "cells"))
    found = catalog(tmp_path / "stock")
    SequentialRunner().run(pipeline(), found)
    assert found.load("results") == read(tmp_path / "cells" / "results.json")


class Live(dict[str, Any]):
    """A dict that can be weakly referred to, as a model can."""


def test_a_cell_drops_its_model_before_it_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[weakref.ref[Live]] = []
    alive: list[int] = []

    def construct(method: dict[str, Any], seed: int) -> Live:
        live = Live(method=method, seed=seed)
        models.append(weakref.ref(live))
        return live

    def score(checkpoint: dict[str, Any], task: dict[str, Any], scale: int) -> dict[str, Any]:
        gc.collect()
        alive.append(sum(model() is not None for model in models))
        return {}

    monkeypatch.setattr(trivial, "construct", construct)
    monkeypatch.setattr(trivial, "score", score)
    monkeypatch.setattr(trivial, "collect", lambda **cells: {})
    CellRunner().run(trivial.pipeline(), catalog(tmp_path))
    assert alive == [0, 0, 0, 0]


def test_versions_are_the_runs_own(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path, version="2026-01-01T00.00.00.000Z"))
    assert [path.name for path in (cell(tmp_path) / "checkpoint.json").iterdir()] == ["2026-01-01T00.00.00.000Z"]
    state = read(cell(tmp_path) / "state.json")
    assert state["nodes"]["a.m-x-s0-train"]["outputs"] == {"a.m-x-s0-checkpoint": "2026-01-01T00.00.00.000Z"}
    assert len(state["fingerprint"]) == 64


def test_lines_in_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ERRORS["train.b.x"] = ValueError("no")
    with pytest.raises(PartsFailed):
        ran(pipeline(), catalog(tmp_path))
    assert re.sub(r"\d+ s", "0 s", capsys.readouterr().err).splitlines() == [
        "[1/4] b · m · y · s0: points 50.0 %, 0 s",
        "[2/4] b · m · x · s0: failed after 0 s: ValueError: no",
        "[3/4] a · m · y · s0: points 50.0 %, 0 s",
        "[4/4] a · m · x · s0: points 50.0 %, 0 s",
    ]
    ERRORS.clear()
    ran(pipeline(), catalog(tmp_path, version="2"))
    assert capsys.readouterr().err.splitlines()[1] == "[1/4] b · m · y · s0: points 50.0 %, unchanged"


def test_a_grid_kept_in_memory_only_is_refused() -> None:
    found = DataCatalog({"params:tasks.x": {"name": "x", "ask": "?"}, "x_raw": 1})
    with pytest.raises(ConfigError, match=r"catalog.yml: dataset 'x_prompts' must be a file"):
        CellRunner().run(pipeline().filter(node_names=["x-adapt"]), found)
