"""Tests lie where what they test lies, and their names fit on a line."""

import ast
from pathlib import Path

import pytest
from light import SOURCES, TESTS

PACKAGE = SOURCES / "peft_pipelines"
ASIDE = ("benchmarks", "cuda", "docs", "end_to_end", "faults", "malformed", "structure", "support", "data/tasks")
"""Folders of tests of the whole, of what needs a GPU, of what helps tests, and of each task's raw examples."""
LONGEST = 70

FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
MIRRORED = [path for path in FILES if not any(path.is_relative_to(folder) for folder in ASIDE)]
MODULES = {path.stem for path in PACKAGE.rglob("*.py")}


@pytest.mark.parametrize("path", MIRRORED, ids=str)
def test_a_module_of_tests_lies_where_what_it_tests_lies(path: Path) -> None:
    """It has the name of a module in the package of its folder, or of no module at all and tests the package."""
    name = path.stem.removeprefix("test_")
    tested = PACKAGE / path.with_name(name)
    assert (PACKAGE / path.parent / "__init__.py").is_file()
    assert any(place.exists() for place in (tested.with_suffix(".py"), tested)) or name not in MODULES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_names_of_tests_fit(path: Path) -> None:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [name for name in names if name.startswith("test_") and len(name) > LONGEST]
