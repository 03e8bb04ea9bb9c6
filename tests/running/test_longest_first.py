"""The order of cells that run side by side."""

from pathlib import Path

import pytest
from trivial import catalog, pipeline, ran

from peft_pipelines.running.longest_first import longest_first, recorded_numbers, recorded_seconds
from peft_pipelines.running.units import Unit, split

UNITS = [Unit(f"cell.{cell}", ()) for cell in ("a.m.x.s0", "a.m.x.s1", "b.m.x.s0", "b.m.y.s0", "a.n.x.s0", "b.n.x.s0")]


@pytest.mark.parametrize(
    ("recorded", "order"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"b.m.x.s0": 9.0, "a.m.x.s0": 5.0, "a.m.x.s1": 7.0, "b.m.y.s0": 8.0}, [2, 3, 1, 0, 4, 5]),
        ({"a.m.x.s0": 5.0, "b.m.x.s0": 9.0}, [2, 3, 0, 1, 4, 5]),
        ({"b.n.x.s0": 1.0, "a.n.x.s0": 2.0}, [0, 1, 2, 3, 4, 5]),
        ({"b.n.x.s0": 3.0, "a.n.x.s0": 2.0}, [0, 1, 2, 3, 5, 4]),
    ],
    ids=["nothing known", "all known", "of like cells", "a model at a time", "the other model"],
)
def test_a_models_longest_cells_come_first(recorded: dict[str, float], order: list[int]) -> None:
    found = longest_first(UNITS, {f"cell.{cell}": seconds for cell, seconds in recorded.items()})
    assert [UNITS.index(unit) for unit in found] == order


def test_seconds_are_those_of_the_last_time(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    cells = split(pipeline().nodes, {}).cells
    assert recorded_seconds(recorded_numbers(cells, catalog(tmp_path))) == {}
    (tmp_path / "m/x/a/s0/metrics.json").write_text('{"train_cpu_seconds": 2, "generate_cpu_seconds": 0.5}')
    (tmp_path / "m/x/b/s0/metrics.json").write_text("{")
    assert recorded_seconds(recorded_numbers(cells, catalog(tmp_path))) == {"cell.a.m.x.s0": 2.5}
