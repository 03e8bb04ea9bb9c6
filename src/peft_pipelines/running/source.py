"""Our own code as a hash: of the modules that decide a result, what they mean, not how they are laid out."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def code(package: Path, folders: Iterable[str], aside: Iterable[str] = (), start: str | None = None) -> str:
    """A hash of the modules in some folders; comments, docstrings and layout do not change it.

    Args:
        package: the package's folder.
        folders: names of folders directly in it.
        aside: paths of modules in these folders that do not count.
        start: a module, such as ``data.adapt``; of the folders only what it reaches by its imports counts, and the
            module itself.
    """
    wanted, without = set(folders), set(aside)
    own = None if start is None else _path(package, start)
    paths = sorted(_all(package)) if start is None else sorted(reached(package, start))
    counted = [path for path in paths if path == own or (_folder(path) in wanted and path not in without)]
    text = repr([(path, meaning((package / path).read_text(encoding="utf-8"))) for path in counted])
    return hashlib.sha256(text.encode()).hexdigest()


def reached(package: Path, start: str) -> set[str]:
    """The paths of the modules that a module reaches by imports, itself included, in functions or at the top."""
    found: set[str] = set()
    waiting = [_path(package, start)]
    while waiting:
        path = waiting.pop()
        if path and path not in found:
            found.add(path)
            waiting += [_path(package, name) for name in _imported(package / path, package.name)]
    return found


def _all(package: Path) -> Iterator[str]:
    return (path.relative_to(package).as_posix() for path in package.rglob("*.py"))


def _folder(path: str) -> str:
    return path.partition("/")[0]


def _path(package: Path, module: str) -> str:
    """The path of a module or of a package's face inside the package; empty where there is none."""
    place = module.replace(".", "/")
    found = [path for path in (f"{place}.py", f"{place}/__init__.py") if (package / path).is_file()]
    return found[0] if found else ""


def _imported(path: Path, package: str) -> Iterator[str]:
    """The modules of the package that a file imports, by their names inside it; names that are no modules too."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            inside = str(node.module).partition(".")[2]
            parts = inside.split(".") if inside else []
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
            yield from (".".join([*parts, name.name]) for name in node.names)


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
