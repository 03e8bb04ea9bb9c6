"""What a class's docstring says of its arguments, in Google's style: some libraries have their help nowhere else."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

_ARGUMENT: Final = re.compile(r"(?P<name>\w+)\s*(\([^)]*\))?\s*:\s*(?P<help>.*)")
_ROLE: Final = re.compile(r":\w+:(?=`)")
"""Sphinx's word for what stands in backticks, as in ``:obj:`int```."""


def argument_help(cls: type[Any]) -> dict[str, str]:
    """Return the help of each argument that the docstring of a class, or of one that it is made from, describes.

    >>> class Config:
    ...     '''A config.
    ...
    ...     Args:
    ...         rank (:obj:`int`, optional): The rank,
    ...             8 by default.
    ...         scale: A factor.
    ...     '''
    >>> argument_help(Config)
    {'rank': 'The rank, 8 by default.', 'scale': 'A factor.'}
    """
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        found |= dict(_arguments(inspect.cleandoc(vars(one).get("__doc__") or "").splitlines()))
    return found


def _arguments(lines: list[str]) -> Iterator[tuple[str, str]]:
    name, told, section = "", list[str](), _section(lines)
    for line in section:
        begun = _ARGUMENT.fullmatch(_ROLE.sub("", line.strip()))
        if begun and _depth(line) == _depth(section[0]):
            if name:
                yield name, " ".join(" ".join(told).split())
            name, told = begun["name"], [begun["help"]]
        else:
            told.append(_ROLE.sub("", line.strip()))
    if name:
        yield name, " ".join(" ".join(told).split())


def _section(lines: list[str]) -> list[str]:
    """The lines below ``Args:`` that are indented."""
    if "Args:" not in lines:
        return []
    below = lines[lines.index("Args:") + 1 :]
    ends = (place for place, line in enumerate(below) if line.strip() and not _depth(line))
    return [line for line in below[: next(ends, len(below))] if line.strip()]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
