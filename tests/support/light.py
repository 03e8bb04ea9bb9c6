"""Tests that need none of the libraries that are slow to import, known from the import statements alone."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SOURCES, TESTS, BENCHMARKS = PROJECT / "src", PROJECT / "tests", PROJECT / "benchmarks"
HEAVY = frozenset({"accelerate", "adapters", "bitsandbytes", "datasets", "peft", "torch", "transformers"})
"""Libraries that take seconds to import."""
SLOW = HEAVY | {"nbclient", "peft_pipelines.running.cell_runner"}
"""And what loads them when it runs: the notebook's session, and the runner, which asks what the device is."""


class LightOnly:
    """A plugin of pytest that leaves out the modules that are not light."""

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Ignore a module; of folders and other files nothing is said."""
        return None if collection_path.suffix != ".py" or is_light(collection_path) else True


def is_light(path: Path) -> bool:
    """Whether a module and all modules of ours that it imports do without the heavy libraries.

    In a module of the package only the imports count that run when it is imported: it loads some libraries only in the
    functions that need them. In tests, what supports them and benchmarks those in functions count as well.
    """
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            names = imported(path)
            if any(name in SLOW for name in names):
                return False
            waiting += [file for name in names for file in _files(name)]
    return True


@cache
def imported(path: Path) -> frozenset[str]:
    """The names of the modules that a file imports, of the packages around them, and names that may be modules."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(_names(tree, not path.is_relative_to(SOURCES)))


def _names(node: ast.AST, in_functions: bool) -> Iterator[str]:
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Import):
            yield from (place for name in part.names for place in _along(name.name))
        elif isinstance(part, ast.ImportFrom):
            yield from _along(str(part.module))
            yield from (f"{part.module}.{name.name}" for name in part.names)
        elif not _for_types(part) and (in_functions or not isinstance(part, ast.FunctionDef)):
            yield from _names(part, in_functions)


def _along(module: str) -> Iterator[str]:
    """The module and the packages around it, which are imported before it."""
    parts = module.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def _files(module: str) -> tuple[Path, ...]:
    """The files of ours behind a module's name; none for a library."""
    place = SOURCES / module.replace(".", "/")
    scripts = (folder / f"{module}.py" for folder in (TESTS / "support", BENCHMARKS))
    candidates = (place.with_name(f"{place.name}.py"), place / "__init__.py", *scripts)
    return tuple(path for path in candidates if path.is_file())
