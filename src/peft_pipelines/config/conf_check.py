"""What holds of the configuration's files together: each key stands once, shapes agree, and interpolations resolve."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf._utils import split_key
from omegaconf.errors import OmegaConfBaseException

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.strict_yaml import Document
from peft_pipelines.config.yaml_tree import Path

PARAMS = "--params"


def each_key_once(documents: Iterable[Document], deep: bool) -> None:
    """Raise ConfigError for a key that two files of one folder give a value.

    Args:
        documents: the files.
        deep: files may share a mapping as long as they share no key in it; otherwise they share no key at all.
    """
    seen: dict[Path, tuple[Document, bool]] = {}
    for document in documents:
        for path, inner in _keys(document.values, deep):
            other, outer = seen.get(path, (None, False))
            if other and not (deep and inner and outer) and not str(path[0]).startswith("_"):
                raise ConfigError(f"{document.at(path)}: key '{_name(path)}' stands in {other.at(path)} already")
            seen[path] = document, inner


def _keys(values: Mapping[Any, Any], deep: bool, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """The path of each key, and whether it leads to a mapping."""
    for key, value in values.items():
        inner = isinstance(value, Mapping)
        yield (*path, key), inner
        if deep and inner:
            yield from _keys(value, deep, (*path, key))


def same_shapes(base: Any, other: Any, place: Callable[[Path], str], path: Path = ()) -> None:
    """Raise ConfigError where one side has fields and the other one a list.

    Args:
        base: values of the base.
        other: values that are to replace some of them.
        place: where the value at a path of the other stands.
        path: the path of both.
    """
    if isinstance(base, Mapping) and isinstance(other, Mapping):
        for key in base.keys() & other.keys():
            same_shapes(base[key], other[key], place, (*path, key))
    elif isinstance(base, Mapping) and isinstance(other, list):
        raise ConfigError(f"{place(path)}: '{_name(path)}' must have fields ({_some(base)}), got a list")
    elif isinstance(base, list) and isinstance(other, Mapping):
        raise ConfigError(f"{place(path)}: '{_name(path)}' must be a list, got fields ({_some(other)})")


def _some(values: Mapping[Any, Any]) -> str:
    names = [str(key) for key in values]
    return ", ".join(names[:5] + ["..."] * (len(names) > 5))  # noqa: PLR2004  (as many as one reads at a glance)


def place_of(path: Path, documents: Iterable[Document]) -> str:
    """Return where a value stands: in the last file that has its path, else on the command line."""
    found = [document.at(path) for document in documents if path in document.places]
    return found[-1] if found else PARAMS


@contextmanager
def told(documents: Callable[[], Iterable[Document]]) -> Iterator[None]:
    """Turn an error of OmegaConf into one line that names file, line, column and key."""
    try:
        yield
    except RecursionError:
        files = ", ".join(document.where for document in documents())
        raise ConfigError(f"{files}: an interpolation ${{...}} leads back to itself") from None
    except OmegaConfBaseException as error:
        path = tuple(int(part) if part.isdigit() else part for part in split_key(str(error.full_key or "")))
        reason = re.sub(r"^\w+ raised while resolving interpolation: ", "", str(error).splitlines()[0])
        place = place_of(path, documents()) if error.full_key else _some({each.where: None for each in documents()})
        key = f"key '{_name(path)}': " if error.full_key else ""
        raise ConfigError(f"{place}: {key}{reason}; a plain '${{' is written '\\${{'") from None


def _name(path: Path) -> str:
    return ".".join(map(str, path))
