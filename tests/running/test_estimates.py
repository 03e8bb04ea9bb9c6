"""Time and disk of cells, from the most alike that have run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tiny
from kedro.io import DataCatalog
from kedro.pipeline import Node

from peft_pipelines.config import LrSearchSpec, MethodSpec
from peft_pipelines.running.estimates import Estimate, Estimates, side_by_side
from peft_pipelines.running.longest_first import recorded_numbers
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit

WHOLE = ("construct", "train", "generate", "score")


def numbers(training: float, answering: float, size: int, trials: int = 1) -> dict[str, Any]:
    seconds = {"lr_search_seconds": training, "generate_seconds": answering}
    return {**seconds, "lr_trials": trials, "checkpoint_bytes": size}


def estimates(
    folder: Path, recorded: dict[str, Any], trials: int = 1, rows: Mapping[str, MethodSpec] | None = None
) -> Estimates:
    """Estimates from metrics of cells, by their ids."""
    for cell, found in recorded.items():
        (folder / f"{cell}.json").write_text(json.dumps(found))
    units = [Unit(f"cell.{cell}", ()) for cell in recorded]
    kind = {"type": "peft_pipelines.storage.artifact.Artifact", "optional": True}
    catalog = DataCatalog.from_config(
        {unit.last: {**kind, "filepath": f"{folder}/{'.'.join(unit.names)}.json"} for unit in units}
    )
    catalog["params:grid.lr_search"] = LrSearchSpec(factors=tuple(range(1, trials + 1)))
    for name, row in (rows or {}).items():
        catalog[f"params:methods.{name}"] = row
    return Estimates(recorded_numbers(units, catalog), catalog)


def cell(name: str, *steps: str) -> Plan:
    nodes = [Node(max, f"{step}-in", f"{step}-out", name=f"m-x-s0-{step}") for step in steps or WHOLE]
    unit = Unit(f"cell.{name}", tuple(nodes))
    return Plan(unit, State(unit, Path("nowhere")), {}, nodes, [])


RECORDED = {
    "a.m.x.s0": numbers(10, 2, 100),
    "a.m.x.s1": numbers(20, 4, 300),
    "a.m.y.s0": numbers(40, 8, 600),
    "a.n.x.s0": numbers(100, 0, 1000),
    "b.m.x.s0": {"type": "ValueError", "reason": "no"},
}


@pytest.mark.parametrize(
    ("name", "estimate"),
    [
        ("a.m.x.s2", Estimate(18, 200, "same task")),
        ("a.m.z.s0", Estimate(28, 333, "other tasks")),
        ("a.o.x.s0", Estimate(46, 500, "other models")),
        ("c.n.x.s0", Estimate(100, 1000, "other methods")),
        ("b.m.x.s0", Estimate(28, 333, "other methods")),
        ("b.o.x.s0", None),
    ],
)
def test_the_most_alike_cells_are_asked(tmp_path: Path, name: str, estimate: Estimate | None) -> None:
    found = estimates(tmp_path, RECORDED).of(cell(name))
    assert (found and found._replace(bytes=round(found.bytes))) == estimate


def test_a_method_that_trains_is_estimated_from_those_that_do(tmp_path: Path) -> None:
    found = {"a.m.x.s0": numbers(10, 2, 100), "b.m.x.s0": numbers(0, 50, 0)}
    rows = {"a": tiny.METHODS["lora"], "b": tiny.METHODS["zero_shot"], "c": tiny.METHODS["ia3"]}
    asked = estimates(tmp_path, found, rows=rows)
    assert asked.of(cell("c.m.x.s0")) == Estimate(12, 100, "other methods")


def test_without_a_record_there_is_no_number(tmp_path: Path) -> None:
    assert estimates(tmp_path, {}).of(cell("a.m.x.s0")) is None


def test_only_the_steps_that_would_run_count(tmp_path: Path) -> None:
    found = estimates(tmp_path, RECORDED)
    assert found.of(cell("a.m.x.s2", "generate", "score")) == (3, 0, "same task")
    assert found.of(cell("a.m.x.s2", "score")) == (0, 0, "same task")


def test_each_learning_rate_that_is_tried_counts(tmp_path: Path) -> None:
    recorded = {"a.m.x.s0": numbers(30, 2, 100, trials=3)}
    assert estimates(tmp_path, recorded).of(cell("a.m.x.s1")) == (12, 100, "same task")
    assert estimates(tmp_path, recorded, trials=5).of(cell("a.m.x.s1")) == (52, 100, "same task")


@pytest.mark.parametrize(("workers", "seconds"), [(1, 22.0), (2, 12.0), (3, 10.0), (4, 10.0), (50, 10.0)])
def test_workers_divide_the_time_and_no_cell(workers: int, seconds: float) -> None:
    assert side_by_side([10.0, 5.0, 4.0, 3.0], workers) == seconds
