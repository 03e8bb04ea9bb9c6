"""The time that a run still takes, from cells on record and from those that it has made."""

from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node

from peft_pipelines.running import time_left
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.state import State
from peft_pipelines.running.time_left import TimeLeft
from peft_pipelines.running.units import Unit

STEPS = ("construct", "train", "generate", "score")


def plan(seed: str) -> Plan:
    nodes = [Node(max, f"{step}-in", f"{step}-out", name=f"m-x-{seed}-{step}") for step in STEPS]
    unit = Unit(f"cell.a.m.x.{seed}", tuple(nodes))
    return Plan(unit, State(unit, Path("nowhere")), {}, nodes, [])


def numbers(seconds: float) -> dict[str, float]:
    return {"lr_search_seconds": seconds, "lr_trials": 1, "generate_seconds": 0.0, "checkpoint_bytes": 1}


def test_cells_on_record_tell_the_time_before_the_first_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time_left, "monotonic", lambda: clock[0])
    plans = [plan(f"s{seed}") for seed in range(3)]
    left = TimeLeft(plans, {"cell.a.m.x.s9": numbers(10.0)}, DataCatalog(), workers=2)
    assert (left.seconds, left.unknown) == (20.0, 0)
    left.begin(plans[0].unit.title)
    left.begin(plans[1].unit.title)
    clock[0] = 4.0
    assert left.seconds == 16.0
    clock[0] = 30.0  # longer than expected
    assert left.seconds == 10.0
    left.end(plans[0].unit, numbers(30.0))  # the mean is 20 now
    assert left.seconds == 20.0
    left.end(plans[1].unit, None)
    left.end(plans[2].unit, None)
    assert (left.seconds, left.unknown) == (0.0, 0)


def test_the_first_cell_that_has_ended_tells_of_the_others() -> None:
    plans = [plan(f"s{seed}") for seed in range(3)]
    left = TimeLeft(plans, {}, DataCatalog(), workers=1)
    assert (left.seconds, left.unknown) == (None, 3)
    left.end(plans[0].unit, numbers(5.0))
    assert (left.seconds, left.unknown) == (10.0, 0)


def test_a_cell_that_another_run_has_made_is_no_longer_waited_for() -> None:
    plans = [plan(f"s{seed}") for seed in range(2)]
    left = TimeLeft(plans, {"cell.a.m.x.s9": numbers(10.0)}, DataCatalog(), workers=1)
    assert [left.waits_for(each.unit) for each in plans] == [True, True]
    left.end(plans[0].unit, numbers(10.0))
    assert [left.waits_for(each.unit) for each in plans] == [False, True]
    assert left.seconds == 10.0
