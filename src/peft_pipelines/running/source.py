"""Hash of the project's own code: of the modules that decide a result, by their syntax trees, not by their layout.

Which modules a node reaches is read from import statements, so no module of the package is imported by a computed name.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from peft_pipelines.files.user_cache import worked_out

PACKAGE = Path(__file__).parents[1]
MEMORY: Final = "code.json"
"""The file of the user's cache folder that keeps hashes of code: to parse the package takes half a second."""


def code(package: Path, folders: Iterable[str], aside: Iterable[str] = (), starts: Iterable[str] = ()) -> str:
    """Return a hash of the modules in some folders; comments, docstrings and layout do not change it.

    It is computed once a machine, until a byte of the package changes.

    Args:
        package: the package's folder.
        folders: names of folders directly in it, or paths of single modules.
        aside: paths of modules in these folders that do not count.
        starts: modules, such as ``data.adapt``; of the folders only what they reach by their imports counts, and the
            first of them in any case. Without one everything in the folders counts.
    """
    wanted, without, begun = set(folders), set(aside), list(starts)
    key = _sha256([sys.version, _bytes_of(package), sorted(wanted), sorted(without), begun])
    return worked_out(MEMORY, key, lambda: _code(package, wanted, without, begun))


def _bytes_of(package: Path) -> list[tuple[str, str]]:
    paths = sorted(package.rglob("*.py"))
    return [(path.relative_to(package).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]


def _sha256(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _code(package: Path, wanted: set[str], without: set[str], starts: list[str]) -> str:
    begun = [_path(package, name) for name in starts]
    paths = reached(package, *starts) if begun else set(_all(package))
    counted = sorted(
        path for path in paths if path in begun[:1] or ({path, _folder(path)} & wanted and path not in without)
    )
    return _sha256([(path, _hash_of((package / path).read_text(encoding="utf-8"))) for path in counted])


@cache
def _hash_of(source: str) -> str:
    """Return the hash of what a module means, computed once a text: a run asks for it once a kind of node."""
    return hashlib.sha256(meaning(source).encode()).hexdigest()


def reached(package: Path, *starts: str) -> set[str]:
    """Return the paths of the modules that some modules reach by imports, in functions or at the top; theirs too."""
    found: set[str] = set()
    waiting = [_path(package, name) for name in starts]
    while waiting:
        path = waiting.pop()
        if path and path not in found:
            found.add(path)
            waiting += [_path(package, name) for name in _imported(package, path)]
    return found


def _all(package: Path) -> Iterator[str]:
    return (path.relative_to(package).as_posix() for path in package.rglob("*.py"))


def _folder(path: str) -> str:
    return path.partition("/")[0]


def _path(package: Path, module: str) -> str:
    """Return the path of a module or of a package's face inside the package; empty where there is none."""
    place = module.replace(".", "/")
    found = [path for path in (f"{place}.py", f"{place}/__init__.py") if (package / path).is_file()]
    return found[0] if found else ""


def _imported(package: Path, path: str) -> Iterator[str]:
    """Yield the modules of the package that a file imports, by their names inside it, and names that are no modules.

    An import that only type checkers read does not count.
    """
    for node in _executed(_tree(package / path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(_inside(alias.name, package.name))
        if isinstance(node, ast.ImportFrom):
            module = _relative(node, path) if node.level else _inside(node.module or "", package.name)
            if module is not None:
                yield from (name for alias in node.names for name in _with_parents([*module, alias.name]))


def _inside(module: str, package: str) -> list[str] | None:
    """Return the parts of a module's name behind its package, or None for a module of another package."""
    first, *parts = module.split(".")
    return parts if first == package else None


def _relative(node: ast.ImportFrom, path: str) -> list[str]:
    """Return the parts of the module that a relative import in a file names."""
    folder = path.split("/")[: -node.level]
    return [*folder, *(node.module.split(".") if node.module else ())]


def _with_parents(parts: list[str] | None) -> Iterator[str]:
    """Yield a module's name and those of the packages around it, whose faces are imported with it."""
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1)) if parts else iter(())


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a syntax tree without the blocks for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"):
            yield node
            yield from _executed(node)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def meaning(source: str) -> str:
    """A module's syntax tree without its docstrings.

    >>> meaning("def f():\\n    'Why.'\\n    return 1  # because") == meaning("def f(): return 1")
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(part: ast.AST) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)
