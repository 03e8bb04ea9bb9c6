"""What belongs together is one unit: any worker can make any cell at any time."""

from peft_pipelines.config import Grid
from peft_pipelines.pipelines.grid import pipelines_of
from peft_pipelines.running.units import split

GRID = Grid(methods=("one", "two"), models=("m", "n"), tasks=("x", "y"), seeds=("s0", "s1"))


def test_no_cell_reads_what_another_one_makes() -> None:
    work = split(pipelines_of(GRID, {"one": ["x", "y"]})["benchmark"].nodes, GRID.model_dump())
    made = {unit.tag: {name for node in unit.nodes for name in node.outputs} for unit in work.cells}
    assert len(made) == 16
    for unit in work.cells:
        read = {name for node in unit.nodes for name in node.inputs}
        others = set().union(*(names for tag, names in made.items() if tag != unit.tag))
        assert len(read & made[unit.tag]) >= 4
        assert not read & others
