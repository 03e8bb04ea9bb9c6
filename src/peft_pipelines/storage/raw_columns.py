"""Columns out of the values of JSON lines, without a guess at their types."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from peft_pipelines.config.errors import ConfigError

Place = tuple[Path, int]
"""A file and the number of a line in it, from 1."""


class Literal(str):
    """A number with a point or an exponent, as it stands in the file."""

    __slots__ = ()


_INT64 = range(-(2**63), 2**63)
_KINDS = {str: "text", Literal: "a number", int: "a number", bool: "true or false", list: "a list", dict: "an object"}
_TYPES = {"text": pa.string(), "true or false": pa.bool_(), "": pa.null()}


def at(place: Place) -> str:
    """Return a place in the words of an error."""
    return f"raw rows: file '{place[0]}', line {place[1]}"


def column_of(name: str, values: Sequence[Any], places: Sequence[Place]) -> pa.Array:
    """Return a column. Numbers that would not write back as they stand are kept as text.

    Args:
        name: the column's name, for errors.
        values: what the JSON decoder made, numbers with a point as ``Literal``; None is null.
        places: where each value stands, for errors.

    Raises:
        ConfigError: the values are of different kinds.

    >>> places = [(Path("train.jsonl"), line) for line in (1, 2, 3)]
    >>> column_of("x", [1, None, 2], places).to_pylist()
    [1, None, 2]
    >>> column_of("x", [Literal("1.50"), Literal("2.0"), None], places).to_pylist()
    ['1.50', '2.0', None]
    """
    kind = _one_kind(name, values, places)
    if kind in _TYPES:
        return pa.array(values, _TYPES[kind])
    return _numbers(values) if kind == "a number" else _nested(name, values, places)


def _one_kind(name: str, values: Sequence[Any], places: Sequence[Place]) -> str:
    """What all values are but for nulls, in words; empty where all are null."""
    kinds: dict[str, Place] = {}
    for value, place in zip(values, places, strict=True):
        if value is not None:
            kinds.setdefault(_KINDS[type(value)], place)
    if len(kinds) > 1:
        (one, first), (other, second), *_ = kinds.items()
        raise ConfigError(f"{at(second)}: field '{name}' is {other}, but {one} in line {first[1]} of {first[0].name}")
    return next(iter(kinds), "")


def _numbers(values: Sequence[int | Literal | None]) -> pa.Array:
    given = [value for value in values if value is not None]
    if all(isinstance(value, Literal) and repr(float(value)) == value for value in given):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if all(isinstance(value, int) and value in _INT64 for value in given):
        return pa.array(values, pa.int64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _nested(name: str, values: Sequence[Any], places: Sequence[Place]) -> pa.Array:
    """Lists or objects. Numbers inside them become text where they have a point, or where one beside them has."""
    for as_text in ((Literal,), (Literal, int)):
        try:
            return pa.array([_plain(value, as_text) for value in values])
        except (pa.ArrowException, OverflowError) as error:
            reason = error
    raise ConfigError(f"{at(places[0])} and on: field '{name}' holds values of different kinds: {reason}")


def _plain(value: Any, as_text: tuple[type, ...]) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner, as_text) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, as_text) for inner in value]
    return str(value) if type(value) in as_text else value
