"""Names of methods in ``peft``'s closed enumeration ``PeftType``: the library's own, and those of custom methods.

A member that is added here lasts as long as the process; no file of the library changes.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from peft import PeftType
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_PREFIX_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING

CAPITALS = r"^[A-Z][A-Z0-9_]*$"


def own() -> dict[str, type[Any]]:
    """Return the config classes of the library itself by the name of their type."""
    return registered_by("peft")


def registered_by(package: str) -> dict[str, type[Any]]:
    """Return the config classes that a top-level package has registered with the library, by the name of their type."""
    found = PEFT_TYPE_TO_CONFIG_MAPPING.items()
    return {_name(kind): config for kind, config in found if config.__module__.partition(".")[0] == package}


def tuner_of(name: str) -> type[Any] | None:
    """Return the tuner that is registered under the name of a type; None for a soft prompt, which has none."""
    return {_name(kind): tuner for kind, tuner in PEFT_TYPE_TO_TUNER_MAPPING.items()}.get(name)


def add(names: Iterable[str]) -> None:
    """Add members to ``PeftType`` for this process; a name that is there stays as it is."""
    for name in sorted(set(names) - set(PeftType.__members__)):
        member = str.__new__(PeftType, name)
        member._name_ = member._value_ = name
        setattr(PeftType, name, member)  # before it is listed: a listed member cannot be set
        PeftType._member_names_.append(name)
        PeftType._member_map_[name] = member
        PeftType._value2member_map_[name] = member


def used_in(folder: Path) -> set[str]:
    """Return the names that the Python files of a folder use as ``PeftType.NAME``; nothing is imported."""
    return {name for path in sorted(folder.rglob("*.py")) for name in _used(path.read_bytes())}


def _used(source: bytes) -> Iterator[str]:
    if b"PeftType" not in source:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # an import of the file says so in its place
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(CAPITALS, node.attr) and _is_enumeration(node.value):
            yield node.attr


def _is_enumeration(node: ast.expr) -> bool:
    return getattr(node, "id", None) == "PeftType" or getattr(node, "attr", None) == "PeftType"


def forget(module: str) -> None:
    """Undo what modules below ``module`` have registered with the library, so that they can be run once more."""
    for kind, config in list(PEFT_TYPE_TO_CONFIG_MAPPING.items()):
        if config.__module__.startswith(f"{module}."):
            for mapping in (PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING, PEFT_TYPE_TO_PREFIX_MAPPING):
                mapping.pop(kind, None)


def _name(kind: Any) -> str:
    return str(getattr(kind, "value", kind))  # some authors register under a plain text
