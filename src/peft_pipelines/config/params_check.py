"""What ``--params`` and ``globals.yml`` may say: keys that something reads, and text where a path is made of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from peft_pipelines.config.conf_check import PARAMS, same_shapes
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.parameters import Parameters
from peft_pipelines.config.spec import shown
from peft_pipelines.config.strict_yaml import Document

_RUNTIME: Final = re.compile(r"\$\{runtime_params:\s*([\w.-]+)")
_GLOBALS: Final = re.compile(r"\$\{globals:\s*([\w.-]+)")
PARTS: Final = tuple(Parameters.model_fields)
"""What parameters may hold at their top."""
CHECKED: Final = 2
"""Levels of keys that are checked here: a row's fields, below them, are checked by the row."""


def check_params(params: Mapping[str, Any], rows: Sequence[Document], paths: Sequence[Document]) -> None:
    """Raise ConfigError for a key of ``--params`` that neither the rows have nor a file asks for.

    Args:
        params: the values, rows inside rows.
        rows: the files of the parameters.
        paths: the files that ask for a value by ``${runtime_params:…}`` to make a path of it, such as the catalog.
    """
    asked = set(_asked(_RUNTIME, paths))
    known = {path for each in rows for path in each.places}
    top = sorted({str(path[0]) for path in known if not str(path[0]).startswith("_")} | asked)
    for key, value in params.items():
        if key not in top:
            raise unknown(PARAMS, "key", f"{key:.80}", top)
        if key in asked:
            _check_path_text(f"{PARAMS}, {key}", value)
        elif isinstance(value, Mapping):
            _check_inner(key, value, known)
    for document in rows:
        same_shapes(document.values, params, lambda _: PARAMS)


def check_parts(rows: Iterable[Document]) -> None:
    """Raise ConfigError for a part of the parameters that nothing reads, such as a name with a letter too many.

    Names that begin with ``_`` hold what aliases repeat.

    Args:
        rows: the files of the parameters.
    """
    for document in rows:
        for name in document.values:
            if name not in PARTS and not str(name).startswith("_"):
                raise unknown(document.at((name,)), "part", f"{name:.80}", PARTS)


def _check_inner(key: str, values: Mapping[str, Any], known: set[tuple[Any, ...]]) -> None:
    names = sorted(str(path[1]) for path in known if path[0] == key and len(path) == CHECKED)
    for name in values:
        if name not in names:
            raise unknown(PARAMS, "key", f"{key}.{name:.80}", [f"{key}.{each}" for each in names])


def check_globals(paths: Iterable[Document], files: Sequence[Document]) -> None:
    """Raise ConfigError for a value of ``globals.yml`` that a file makes a path of, but which is no text.

    Args:
        paths: the files that ask for values by ``${globals:…}``, such as the catalog.
        files: the files of ``globals.yml``.
    """
    for name in _asked(_GLOBALS, paths):
        path = tuple(name.split("."))
        for document in files:
            if path in document.places:
                _check_path_text(f"{document.at(path)}, {name}", _value(document.values, path))


def _value(values: Any, path: Sequence[str]) -> Any:
    for key in path:
        values = values[key]
    return values


def _check_path_text(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: must be a folder's path, got {shown(value)}; write ./5 for a folder called 5")
    if not value.strip() or "\0" in value:
        raise ConfigError(f"{where}: must be a folder's path, got {shown(value)}")
    if value.startswith("~"):
        raise ConfigError(f"{where}: '~' is not expanded here, write the whole path, got {shown(value)}")


def _asked(pattern: re.Pattern[str], documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        for text in _texts(document.values):
            yield from pattern.findall(text)


def _texts(values: Any) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list):
        for value in values:
            yield from _texts(value)
    elif isinstance(values, str):
        yield values
