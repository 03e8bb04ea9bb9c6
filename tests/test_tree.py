"""The shape of the package: its folders, the length of its modules and functions, and no lines twice."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "peft_pipelines"
MODULES = {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}

PACKAGES = (
    "api cli board adding serving tracking running pipelines training inference reporting data evaluation costs models "
    "storage methods config files"
)
TOP_LEVEL = {"__init__.py", "__main__.py", "hooks.py", "pipeline_registry.py", "settings.py"}
LONGEST_MODULE, LONGEST_FUNCTION, SHARED = 200, 40, 6

TWICE = {
    "pipeline.py": "Kedro's own name for the module that wires a pipeline",
    "train.py": "the node of a cell beside the training itself",
    "generate.py": "the node of a cell beside the generation itself",
    "score.py": "the node of a cell beside the scoring itself",
    "grid.py": "the grid's rows beside the pipelines that are made of them, and the object of Python",
    "ranks.py": "the statistics of ranks beside their plot",
    "scores.py": "the statistics of scores beside their part of the page",
}
"""Names of modules that occur more than once, with the reason."""


def test_the_package_has_these_folders_and_no_others() -> None:
    assert sorted({name.split("/")[0] for name in MODULES if "/" in name}) == sorted(PACKAGES.split())
    assert {name for name in MODULES if "/" not in name} == TOP_LEVEL


def test_a_module_has_a_name_of_its_own() -> None:
    counts = Counter(name.rpartition("/")[2] for name in MODULES)
    assert {name for name, count in counts.items() if count > 1} == {*TWICE, "__init__.py"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_can_be_read_at_once(name: str) -> None:
    assert len(MODULES[name].splitlines()) <= LONGEST_MODULE


def functions(text: str) -> Iterator[tuple[str, int]]:
    """The functions of a module, with the lines that each has beside its docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = node.body[0] if ast.get_docstring(node) else None
            yield node.name, length(node) - (length(doc) if doc else 0)


def length(node: ast.stmt) -> int:
    return int(node.end_lineno or 0) - node.lineno + 1


def test_a_long_function_is_seen() -> None:
    short = "\n".join(["def f():", '    """One."""', *["    x()"] * 3])
    assert list(functions(short)) == [("f", 4)]


def test_no_function_is_long() -> None:
    long = [
        (name, function) for name in MODULES for function, lines in functions(MODULES[name]) if lines > LONGEST_FUNCTION
    ]
    assert not long


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a module that count, with their numbers: no blanks, brackets, comments, docstrings and imports."""
    tree = ast.parse(text)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        text_alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if text_alone or isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= set(range(node.lineno, int(node.end_lineno or 0) + 1))
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("  #")[0].strip()
        if number not in left_out and re.search(r"\w", words) and not words.startswith("#"):
            yield number, words


def shared(modules: Mapping[str, str]) -> list[list[str]]:
    """The places at which the same ``SHARED`` lines in a row begin, of each such run."""
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, text in sorted(modules.items()):
        numbered = list(lines_of(text))
        for first in range(len(numbered) - SHARED + 1):
            run = numbered[first : first + SHARED]
            places[tuple(words for _, words in run)].append(f"{name}:{run[0][0]}")
    return [found for found in places.values() if len(found) > 1]


def test_no_six_lines_stand_in_two_places() -> None:
    assert not shared(MODULES)


BODY = [f"    step_{number}(x)" for number in range(SHARED)]


def test_six_lines_in_two_places_are_seen() -> None:
    one = "\n".join(["def f(x):", *BODY, ""])
    other = "\n".join(
        ["import os", "", "def g(x):", '    """Another one."""', *BODY[:3], "    # why", "", *BODY[3:], ""]
    )
    assert shared({"a.py": one, "b.py": other}) == [["a.py:2", "b.py:5"]]
    assert shared({"a.py": one + other.replace("import os", "")}) == [["a.py:2", "a.py:12"]]
    assert not shared({"a.py": one, "b.py": other.replace("step_5", "last")})
