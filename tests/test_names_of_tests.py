"""The names of tests: short enough for a line of pytest's output."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
LONGEST = 70


def test_a_tests_name_fits_a_line() -> None:
    names = [
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert names
    assert [name for name in names if len(name) > LONGEST] == []
