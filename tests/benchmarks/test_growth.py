"""The tables of growth, on sizes that take a moment."""

import doctest

import growth
import pytest
from light import PROJECT

SAMPLES = PROJECT / "data/01_raw/samples"


def test_a_table_has_the_seconds_of_a_unit() -> None:
    assert doctest.testmod(growth) == (0, 1)


@pytest.mark.parametrize(
    ("name", "sizes", "tables"),
    [("data", (20, 40), 2), ("cells", (50, 100), 1), ("rerun", (50,), 2), ("report", ((2, 1),), 3)],
)
def test_each_table_has_a_line_a_size(name: str, sizes: tuple[object, ...], tables: int) -> None:
    found = [list(growth.table(*each)) for each in growth.TABLES[name](SAMPLES, sizes)]
    assert [len(lines) for lines in found] == [2 + len(sizes)] * tables
    assert all(line.endswith("| 1.00 |") for lines in found for line in lines[2:3])
