"""The corpus as a whole: how many malformed inputs are tried, and that each list names each of its rules once."""

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

LEAST = 1190
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("*_rules.py") if not path.stem.startswith("test_"))


def names(module: str) -> list[str]:
    return [str(rule) for rule in import_module(module).RULES]


def test_there_are_as_many_malformed_inputs_as_are_claimed() -> None:
    assert sum(len(names(module)) for module in MODULES) >= LEAST


@pytest.mark.parametrize("module", MODULES)
def test_each_rule_has_a_name_of_its_own_and_is_tried(module: str) -> None:
    assert [name for name, count in Counter(names(module)).items() if count > 1] == []
    assert (Path(__file__).parent / f"test_{module}.py").is_file()
