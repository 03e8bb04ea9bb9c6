"""The functions of the package that change files, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

METHODS = {
    *("unlink", "mkdir", "rmdir", "touch", "symlink_to", "hardlink_to", "write_text", "write_bytes"),
    *("save_file", "save_pretrained", "to_csv", "to_parquet", "write_table", "rmtree", "copyfile", "copytree", "move"),
    *("mkdtemp", "mkstemp", "makedirs", "link", "symlink", "remove_folder", "utime", "truncate"),
}
"""Names of functions and methods that do, whatever they belong to."""
OF_THE_SYSTEM = {"os": {"replace", "rename", "remove", "open"}, "shutil": {"copy", "copy2"}}
"""Those that mean something else elsewhere."""


def changing(package: Path) -> set[str]:
    """Their names, as ``module.function``, a lambda as ``module.<lambda>``."""
    return {name for path in package.rglob("*.py") for name in _changing(path, _module(path, package))}


def _module(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package).with_suffix("").parts)


def _changing(path: Path, module: str) -> Iterator[str]:
    waiting: list[tuple[ast.AST, tuple[str, ...]]] = [(ast.parse(path.read_text(encoding="utf-8")), (module,))]
    while waiting:
        node, names = waiting.pop()
        if isinstance(node, ast.Call) and _changes(node.func):
            yield ".".join(names)
        if isinstance(node, ast.Lambda):
            names = (*names, "<lambda>")
        elif isinstance(node, ast.FunctionDef) and names[1:] and names[-1][0].islower():
            names = (*names, "<locals>", node.name)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = (*names, node.name)
        waiting += [(child, names) for child in ast.iter_child_nodes(node)]


def _changes(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in METHODS
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    return function.attr in METHODS or function.attr in OF_THE_SYSTEM.get(owner, ())
