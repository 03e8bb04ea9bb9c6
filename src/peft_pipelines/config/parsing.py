"""Parsing of plain values into typed rows, with errors of one line."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.spec import shown

S = TypeVar("S", bound=BaseModel)

_WORDS = dict.fromkeys(("model_type", "dict_type"), "must be a row of fields") | {"tuple_type": "must be a list"}
"""Errors of types that YAML calls by another name than Python."""
_NUMBER = re.compile(r"\s*[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE)
_HINTS = {
    bool: "; write yes, no, on, off, true and false in quotes where they are text",
    int: "; write a number in quotes where it is text",
    float: "; write a number in quotes where it is text",
}


def parse(kind: type[S], where: str, values: Mapping[str, Any]) -> S:
    """Return a row made of plain values. The first error is raised as a ConfigError of one line that names the place.

    >>> from peft_pipelines.config import HubSource
    >>> parse(HubSource, "task 'x', source", {"repo": "a/b", "confg": "c"})
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: task 'x', source: unknown field 'confg', did you mean ...
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _one_line(kind, where, error) from None


def _one_line(kind: type[BaseModel], where: str, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    path = ".".join(f"{part!s:.80}" for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *parents, field = first["loc"]
        inside = f"{where}, {'.'.join(map(str, parents))}" if parents else where
        return unknown(inside, "field", f"{field!s:.80}", _fields(kind, first["loc"][:-1]))
    if first["type"] == "value_error" and isinstance(first["ctx"]["error"], ConfigError):
        return ConfigError(f"{where}, {first['ctx']['error']}")
    message = _WORDS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] in ("missing", "value_error") else f", got {shown(first['input'])}"
    return ConfigError(f"{where}{', ' + path if path else ''}: {message}{got}{_hint(first['type'], first['input'])}")


def _hint(kind: str, value: object) -> str:
    """What to write instead, where YAML reads a value as of another type than it looks."""
    if kind in ("int_type", "float_type") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return "; write a number without quotes, with a point before its exponent, as in 1.0e-4"
    return _HINTS.get(type(value), "") if kind == "string_type" else ""


def _fields(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Fields of a row, or of the row inside it that a path leads to."""
    for part in path:
        inner = kind.model_fields[str(part)].annotation
        options = getattr(inner, "__args__", (inner,))
        kind = next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
    return [name for name in kind.model_fields if name != "name"]
