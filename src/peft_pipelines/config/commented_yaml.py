"""Values as YAML that people read: fields in their order, a comment above each, and text that comes back as it was."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from peft_pipelines.config.yaml_tree import Dumper

_INDENT: Final = "  "
_TEXT: Final = "tag:yaml.org,2002:str"
_INTERPOLATION: Final = re.compile(r"(\\*)\$\{")
_QUOTED: Final = re.compile("[\r\x85\u2028\u2029]|[ \t](\n|$)")
"""Ends of lines that YAML reads as others, and blanks that a reader does not see."""


class Field(NamedTuple):
    """A field of a file: its name and value, the comment above it, and whether a value of several has a line for each.

    A value is text, a number, a truth value, or a list or mapping of such.
    """

    name: str
    value: Any
    comment: str = ""
    block: bool = False


class _Dumper(Dumper):
    """Writes text of several lines as a block where that keeps each character, else in quotes."""


def _written(dumper: _Dumper, text: str) -> yaml.Node:
    style = '"' if _QUOTED.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar(_TEXT, text, style=style)


_Dumper.add_representer(str, _written)


def document(head: str, fields: Iterable[Field], around: Sequence[str] = ()) -> str:
    """Return the text of a file.

    Args:
        head: the comment at its top.
        fields: what it holds.
        around: the keys that lead to the fields.

    >>> print(document("Mine.", [Field("seeds", ["s0"], "why"), Field("labels", {"0": "no"}, block=True)], ["x"]))
    # Mine.
    x:
      # why
      seeds: [s0]
      labels:
        '0': 'no'
    <BLANKLINE>
    """
    lines = [f"# {line}" for line in head.splitlines()]
    lines += [f"{_INDENT * depth}{_dumped({key: None}).removesuffix(' null')}" for depth, key in enumerate(around)]
    before = _INDENT * len(around)
    for field in fields:
        lines += [f"{before}# {line}" for line in field.comment.splitlines()]
        lines += [f"{before}{line}" if line else "" for line in _text(field).split("\n")]
    return "\n".join([*lines, ""])


def _text(field: Field) -> str:
    value = plain_of(field.value)
    if isinstance(value, Mapping | list) and not field.block:
        return f"{field.name}: {_dumped(value, flow=True)}"
    return _dumped({field.name: value})


def on_one_line(value: Any) -> str:
    """Return a value as a file holds it in one line, so that the project's reader finds the same again.

    >>> print(on_one_line(["1e5", 1e5]), on_one_line("two\\nlines"))
    ['1e5', 100000.0] "two\\nlines"
    """
    return _dumped([plain_of(value)], flow=True)[1:-1]  # by itself a text of several lines would be a block


def _dumped(value: Any, *, flow: bool = False) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, width=float("inf"), default_flow_style=flow, sort_keys=False
    )
    return text.removesuffix("\n")


def plain_of(value: Any) -> Any:
    """Return a value in which OmegaConf finds no interpolation: a ``${`` in a text stands for itself.

    >>> print(plain_of("from ${price}"))
    from \\${price}
    """
    if isinstance(value, str):
        return _INTERPOLATION.sub(lambda found: f"{found[1] * 2}\\${{", value)
    if isinstance(value, Mapping):
        return {key: plain_of(inner) for key, inner in value.items()}
    return [plain_of(inner) for inner in value] if isinstance(value, list | tuple) else value
