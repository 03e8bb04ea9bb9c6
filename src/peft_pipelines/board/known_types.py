"""The types that a method's row may name, read from the installed libraries once, and again when a drop-in changes."""

import json
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from peft_pipelines.board.environment_rows import Rows
from peft_pipelines.board.project import Project
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.custom_folder import methods_folder, use_methods_of

if TYPE_CHECKING:
    from peft_pipelines.methods.catalogue import Available

_known: Final[dict[object, "dict[tuple[str, str], Available]"]] = {}
_lock = Lock()


def types_of(project: Project, rows: Rows) -> "dict[tuple[str, str], Available]":
    """Return all types by provider and name; the first call loads the libraries, which takes seconds.

    Args:
        project: whose folder of drop-in methods is read, unless the user has named another one.
        rows: of an environment; packages that its method rows name bring types too.

    Raises:
        ConfigError: the user has named a folder of methods that is none.
    """
    from peft_pipelines.methods.catalogue import available  # noqa: PLC0415  (heavy: pages of rows alone need it)

    with _lock:
        use_methods_of(project.root)
        packaged: dict[str, Any] = {
            name: row.model_dump(mode="json", exclude_unset=True)
            for name, row in rows.parameters.methods.items()
            if row.package
        }
        key = (methods_folder(), _stamp(methods_folder()), json.dumps(packaged))
        if key not in _known:
            _known.clear()
            _known[key] = {(one.provider, one.type): one for one in available(packaged)}
        return _known[key]


def type_of(project: Project, rows: Rows, provider: str, kind: str) -> "Available":
    """Return a type.

    Raises:
        ConfigError: no provider that is installed has it.
    """
    known = types_of(project, rows)
    if (provider, kind) not in known:
        raise unknown(f"provider '{provider}'", "type", kind, [name for owner, name in known if owner == provider])
    return known[provider, kind]


def check_type(project: Project, rows: Rows, provider: str, kind: str) -> None:
    """Raise ConfigError for a type that no row may name, with the reason."""
    found = type_of(project, rows, provider, kind)
    if found.note:
        raise ConfigError(f"type {found.type} is not for a row: {found.note}")


def _stamp(folder: Path) -> object:
    files = [path for path in sorted(folder.rglob("*.py")) if path.is_file()]
    return tuple((path.as_posix(), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files)
