"""YAML that says one thing, and nothing else: each fault is one line with file, line and column.

What one writes and hardly ever means is refused: keys that stand twice, the bare words yes, no, on and off as keys,
numbers with leading zeros or colons, and aliases that expand into more than any configuration holds.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import yaml

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.yaml_tree import Loader, Path, Place, fault, walk

DEEPEST, MOST, LONGEST = 50, 100_000, 4 * 2**20
"""Levels of nesting, values once aliases are expanded, and bytes of a file."""

_CONTROL: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Document:
    """The values of a file, and the line and column (from 1) of each key and item by its path."""

    where: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)

    def at(self, path: Path) -> str:
        """Return the file with the line and column of a value, or of the nearest one around it."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.where}, line {line}, column {column}"


@lru_cache(maxsize=512)
def parse(data: bytes, where: str) -> Document:
    """Return the content of a file: a mapping, empty where the file is.

    Raises:
        ConfigError: the bytes are no UTF-8, the text is no YAML, or it is refused for what this module's head names.
    """
    node = _composed(_decoded(data, where), where)
    if node is None:
        return Document(where)
    if not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else f"'{node.value:.40}'"
        raise fault(where, node.start_mark, f"a file must hold keys with values, got {kind}")
    places = dict(walk(node, where))
    return Document(where, _constructed(node, where), places)


def parse_value(text: str, where: str) -> Any:
    """Return the value that a text stands for, such as the part of ``--params`` behind the equals sign."""
    node = _composed(_decoded(text.encode("utf-8", "surrogatepass"), where), where)
    if node is None:
        return None
    for _ in walk(node, where, whole=False):
        pass
    return _constructed(node, where)


def _constructed(node: yaml.Node, where: str) -> Any:
    try:
        return Loader("").construct_document(node)
    except yaml.MarkedYAMLError as error:  # what stands behind `<<` is no mapping
        raise fault(where, error.problem_mark or error.context_mark, error.problem) from None


def _decoded(data: bytes, where: str) -> str:
    if len(data) > LONGEST:
        raise ConfigError(f"{where}: must be at most {LONGEST // 2**20} MiB, got {len(data) / 2**20:.1f}")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start} (line {line}) is 0x{data[error.start]:02x}"
        raise ConfigError(f"{where}: must be UTF-8, but {byte}") from None
    if found := _CONTROL.search(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        raise ConfigError(
            f"{where}, line {line}, column {column}: control character U+{ord(found[0]):04X}; plain text is allowed"
        )
    return text


def _composed(text: str, where: str) -> yaml.Node | None:
    """Return the tree of a text, its size checked before any alias is expanded; None for a text without a value."""
    try:
        _measure(text, where)
        found: yaml.Node | None = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        raise fault(where, error.problem_mark or error.context_mark, _problem(error, text)) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: {' '.join(str(error).split())}") from None
    return found


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    """What is wrong, and what to write instead of a tab, which is the commonest fault that cannot be seen."""
    problem = " ".join(filter(None, (error.context, error.problem)))
    mark = error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if mark and line and ("\t" in re.split(r"\S", line[0])[0] or line[0].startswith("\t", mark.column)):
        return f"a tab; lines are indented by blanks ({problem})"
    return problem


@dataclass
class _Open:
    """A collection that has begun: its anchor, and so far its values and levels, aliases expanded."""

    anchor: str | None
    size: int = 1
    depth: int = 1

    def add(self, size: int, depth: int) -> None:
        self.size, self.depth = self.size + size, max(self.depth, depth + 1)


def _measure(text: str, where: str) -> None:
    """Check nesting and size, aliases expanded, in one pass over the text that expands none of them."""
    known: dict[str | None, tuple[int, int]] = {}
    around = [_Open(None)]
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            around.append(_Open(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = around.pop()
            known[ended.anchor] = ended.size, ended.depth
            around[-1].add(ended.size, ended.depth)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in [one.anchor for one in around]:
                raise fault(where, event.start_mark, f"alias '*{event.anchor}' stands inside the value that it names")
            around[-1].add(*known.get(event.anchor, (1, 0)))
        elif isinstance(event, yaml.ScalarEvent):
            known[event.anchor] = 1, 0
            around[-1].add(1, 0)
        if len(around) + around[-1].depth > DEEPEST + 2:
            raise fault(where, event.start_mark, f"nested too deeply; {DEEPEST} levels are allowed")
        if around[-1].size > MOST:
            raise fault(where, event.start_mark, f"aliases expand to more than the {MOST} values that are allowed")
