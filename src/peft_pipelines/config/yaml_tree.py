"""The tree of a YAML file, node by node: tags, keys and single values that are refused, and the place of each key.

What a bare word is (a number, a truth value, text) is decided as OmegaConf decides it, so that a file means what it
means to Kedro.
"""

import re
from collections.abc import Hashable, Iterator
from datetime import date, datetime
from typing import Any, Final

import yaml
from omegaconf._utils import get_yaml_loader

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.escape import is_half

Path = tuple[Hashable, ...]
Place = tuple[int, int]
"""Line and column, from 1."""

_BREAK: Final = re.compile("[\r\x85\u2028\u2029]")
"""Ends of lines that YAML reads as others, unless they are escaped."""
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_KEYS: Final = frozenset(f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "merge"))
_TAGS: Final = _KEYS | {f"{_TAG}{kind}" for kind in ("null", "map", "seq")}
_BARE_TRUTH: Final = re.compile("yes|no|on|off", re.IGNORECASE)
_OTHER_BASE: Final = re.compile(r"[-+]?(0[0-9_]+|[0-9_]+(:[0-9_.]+)+)")


def _loader_class() -> Any:
    """OmegaConf's rules for bare words, on the fast parser where it is installed."""
    rules = get_yaml_loader()
    if not yaml.__with_libyaml__:
        return rules
    return type("Loader", (yaml.CSafeLoader,), {"yaml_implicit_resolvers": rules.yaml_implicit_resolvers})


Loader: Final = _loader_class()


class Dumper(yaml.SafeDumper):
    """Writes text so that ``Loader`` reads the same text: PyYAML's own rules leave ``1e5`` bare, which is a number."""

    yaml_implicit_resolvers = Loader.yaml_implicit_resolvers


def _text(dumper: Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(f"{_TAG}str", text, style='"' if _BREAK.search(text) else None)


Dumper.add_representer(str, _text)
for _kind in (date, datetime):  # which ``Loader`` reads as text
    Dumper.add_representer(_kind, lambda dumper, value: _text(dumper, str(value)))


def walk(root: yaml.Node, where: str, *, whole: bool = True) -> Iterator[tuple[Path, Place]]:
    """Check each tag, key and scalar; yield the place of each key and item by its path.

    Args:
        root: the tree.
        where: what errors call it.
        whole: whether it is a whole file, whose own keys must be text.
    """
    loader, seen = Loader(""), set[int]()
    waiting: list[tuple[Path, yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.tag not in _TAGS:
            raise fault(where, node.start_mark, f"unknown tag '{node.tag.replace(_TAG, '!!')}'; plain values need none")
        if isinstance(node, yaml.MappingNode):
            for key, value in _entries(node, where, loader, top=whole and not path):
                inner = path if key.tag == _MERGE else (*path, loader.construct_object(key))
                yield inner, _place(key.start_mark)
                waiting.append((inner, value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                yield (*path, number), _place(value.start_mark)
                waiting.append(((*path, number), value))
        else:
            _check_scalar(node, where, loader)


def _entries(node: yaml.MappingNode, where: str, loader: Any, top: bool) -> list[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a mapping, once its keys are checked."""
    lines: dict[Hashable, int] = {}
    for key, _ in node.value:
        _check_key(key, where, loader, top)
        value = None if key.tag == _MERGE else loader.construct_object(key)
        if value in lines:
            raise fault(where, key.start_mark, f"key '{key.value}' stands in line {lines[value]} already")
        lines[value] = key.start_mark.line + 1
    return list(node.value)


def _check_key(key: yaml.Node, where: str, loader: Any, top: bool) -> None:
    if not isinstance(key, yaml.ScalarNode) or key.tag not in _KEYS:
        raise fault(where, key.start_mark, "a key must be text or a number; quote what is meant as text")
    if key.tag != _MERGE:
        _check_scalar(key, where, loader)
    if key.tag == f"{_TAG}bool" and _BARE_TRUTH.fullmatch(key.value):
        truth = str(loader.construct_object(key)).lower()
        raise fault(
            where, key.start_mark, f"key '{key.value}': YAML reads a bare {key.value} as {truth}: quote it, or write it"
        )
    if top and key.tag not in (f"{_TAG}str", _MERGE):
        raise fault(where, key.start_mark, f"key '{key.value}' must be text: quote it")


def _check_scalar(node: yaml.Node, where: str, loader: Any) -> None:
    if node.tag in (f"{_TAG}int", f"{_TAG}float") and _OTHER_BASE.fullmatch(node.value):
        read = loader.construct_object(node)
        raise fault(where, node.start_mark, f"'{node.value}' would be read as the number {read}: quote it as text")
    if node.value == "???":
        raise fault(where, node.start_mark, "'???' stands for a missing value; write one")
    try:
        value = loader.construct_object(node)
    except (ValueError, yaml.MarkedYAMLError) as error:
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        raise fault(where, node.start_mark, f"'{node.value:.40}' is no value: {reason}") from None
    if isinstance(value, str) and is_half(value):
        raise fault(where, node.start_mark, "half of a character (a lone surrogate); write the whole one")


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def fault(where: str, mark: Any, message: object) -> ConfigError:
    """Return the error of a place in a file."""
    line, column = _place(mark)
    return ConfigError(f"{where}, line {line}, column {column}: {message}")
