"""Values set in the text of a YAML file, which keeps its comments and all else as it was."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from peft_pipelines.config import strict_yaml
from peft_pipelines.config.commented_yaml import on_one_line
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.yaml_tree import Loader

REMOVED: Final = object()
"""In place of a value: its key is to go."""
INDENT: Final = 2
"""Blanks before what belongs to a new key."""
Keys = tuple[str, ...]
Entry = tuple[yaml.Node, yaml.Node]
"""A key of a mapping with its value."""


def edited(text: str, where: str, values: Mapping[Keys, Any]) -> str:
    r"""Return a file's text with some values set.

    A key that is there keeps its place and the comments around it; a new one stands at the end of what it belongs to.

    Args:
        text: the file's; empty for a new file.
        where: how errors call it.
        values: by the keys that lead to each the value to set, or ``REMOVED``.

    Raises:
        ConfigError: the text is no YAML, or a key leads through a value that has no keys.

    >>> print(edited("a: [1]  # why\nb:\n  c: 1\n", "x.yml", {("a",): [2, 3], ("b", "d"): "1e5", ("e", "f"): 0.1}))
    a: [2, 3]  # why
    b:
      c: 1
      d: '1e5'
    e:
      f: 0.1
    <BLANKLINE>
    """
    for keys, value in values.items():
        text = _edited(text, where, keys, value)
    return text


def _edited(text: str, where: str, keys: Keys, value: Any) -> str:
    strict_yaml.parse(text.encode(), where)
    node = yaml.compose(text, Loader=Loader)
    if node is None:
        return text if value is REMOVED else _appended(text, len(text), 0, keys, value)
    root = node
    trail: list[Entry] = []
    while len(trail) < len(keys) and (entry := _entry(node, keys[len(trail)])):
        trail.append(entry)
        node = entry[1]
        inside = keys[len(trail) :]
        if inside and not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{where}: '{'.'.join(keys[: len(trail)])}' must have fields to set '{inside[0]}' in it")
        if inside and not _is_block(node):
            return _replaced(text, entry, _with(_plain(node), inside, value))
    if not _is_block(root) and (value is REMOVED) == (len(trail) == len(keys)):
        return text[: root.start_mark.index] + on_one_line(_with(_plain(root), keys, value)) + text[_end(text, root) :]
    if len(trail) < len(keys):
        return text if value is REMOVED else _appended(text, _end(text, node), _column(node), keys[len(trail) :], value)
    return _without(text, trail) if value is REMOVED else _replaced(text, trail[-1], value)


def _entry(node: yaml.Node, key: str) -> Entry | None:
    return next((entry for entry in node.value if entry[0].value == key), None)


def _column(node: yaml.Node) -> int:
    column: int = node.start_mark.column
    return column


def _plain(node: yaml.Node) -> dict[str, Any]:
    found: dict[str, Any] = Loader("").construct_document(node)
    return found


def _with(values: Mapping[str, Any], keys: Keys, value: Any) -> dict[str, Any]:
    """Values inside each other with one of them set; what is there keeps its place."""
    first, rest = keys[0], keys[1:]
    if value is REMOVED and not rest:
        return {key: one for key, one in values.items() if key != first}
    return {**values, first: _with(values.get(first) or {}, rest, value) if rest else value}


def _is_block(node: yaml.Node) -> bool:
    if isinstance(node, yaml.ScalarNode):
        return node.style in ("|", ">")
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _end(text: str, node: yaml.Node) -> int:
    """Where a value ends. A block does so for YAML where the next key begins: comments before that are not its own."""
    end: int = node.end_mark.index
    if not _is_block(node):
        return end
    lines = text[:end].splitlines(keepends=True)
    while lines and not lines[-1].partition("#")[0].strip():
        lines.pop()
    return len("".join(lines))


def _replaced(text: str, entry: Entry, value: Any) -> str:
    key, node = entry
    begin, end = node.start_mark.index, _end(text, node)
    if not _is_block(node):
        return text[:begin] + on_one_line(value) + text[end:]
    colon = text.index(":", key.end_mark.index) + 1
    comment = text[colon : text.index("\n", colon)] if "\n" in text[colon:begin] else ""
    return f"{text[:colon]} {on_one_line(value)}{comment}\n{text[end:]}"


def _without(text: str, trail: list[Entry]) -> str:
    """Without the whole lines of the last key of a trail, and of those around it that hold nothing else."""
    while len(trail) > 1 and len(trail[-2][1].value) == 1:
        trail = trail[:-1]
    begin = text.rfind("\n", 0, trail[-1][0].start_mark.index) + 1
    end = _end(text, trail[-1][1])
    if text[end - 1 : end] != "\n":
        end = text.index("\n", end) + 1 if "\n" in text[end:] else len(text)
    return text[:begin] + text[end:]


def _appended(text: str, end: int, column: int, keys: Keys, value: Any) -> str:
    before, after = text[:end], text[end:]
    if before and not before.endswith("\n"):
        line, newline, after = after.partition("\n")
        before += line + (newline or "\n")
    blanks = [" " * (column + INDENT * depth) for depth in range(len(keys))]
    around = "".join(f"{blank}{on_one_line(key)}:\n" for blank, key in zip(blanks, keys[:-1], strict=False))
    return f"{before}{around}{blanks[-1]}{on_one_line(keys[-1])}: {on_one_line(value)}\n{after}"
