"""Checks of plain values from a row against the type annotations of a library's config class."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

from peft_pipelines.config.errors import ConfigError, unknown

LISTS = (list, set, tuple)


def fits(value: object, kind: Any) -> bool:
    """Whether a plain value from a row is of the type that an annotation names.

    >>> fits("eight", int), fits(8, float), fits(True, int), fits(["q_proj"], list[str] | None)
    (False, True, False, True)
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in union_parts(kind))
    if origin is Literal:
        return any(_is_literal(value, part) for part in parts)
    if origin in LISTS:
        return isinstance(value, list) and _items_fit(value, parts, fixed=origin is tuple and ... not in parts)
    if origin is dict:
        return isinstance(value, Mapping) and all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    return _is_plain(value, kind)


def union_parts(kind: Any) -> tuple[Any, ...]:
    """Return the parts of an annotation, itself alone where it is no union; what pydantic checks beside it is left out.

    ``str`` beside an enumeration stands for its members' values, not for any text.

    >>> union_parts(Annotated[int, "positive"] | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    if get_origin(kind) is Annotated:
        return union_parts(get_args(kind)[0])
    if get_origin(kind) not in (Union, UnionType):
        return (kind,)
    parts = tuple(inner for part in get_args(kind) for inner in union_parts(part))
    return tuple(part for part in parts if part is not str) if any(map(is_enum, parts)) else parts


def is_enum(kind: Any) -> TypeGuard[type[Enum]]:
    """Whether an annotation is an enumeration."""
    return isinstance(kind, type) and issubclass(kind, Enum)


def _items_fit(values: list[Any], parts: tuple[Any, ...], *, fixed: bool) -> bool:
    kinds = parts if fixed else parts[:1] * len(values)
    return len(kinds) == len(values) and all(map(fits, values, kinds))


def _is_plain(value: object, kind: Any) -> bool:
    if not isinstance(kind, type):  # Any and the like
        return True
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    if is_enum(kind):
        return any(value == member.value for member in kind)
    return isinstance(value, list if kind in LISTS else kind)


def _is_literal(value: object, choice: object) -> bool:
    """Whether the value is the choice. A part in brackets, as in ``name_[number]``, stands for anything."""
    if isinstance(choice, str) and isinstance(value, str) and "[" in choice:
        return value.startswith(choice.split("[", 1)[0])
    return value == choice and type(value) is type(choice)


def annotations_of(config_class: Any) -> dict[str, Any]:
    """Return the annotations of a class as they are; none where they name a type that cannot be found."""
    try:
        return get_type_hints(config_class)
    except NameError:  # an author's file may name types that it imports for type checkers only
        return {}


def types_of(config_class: Any) -> dict[str, Any]:
    """Return the annotations of a dataclass by field, each with the type of its default where that is another one."""
    hints, types = annotations_of(config_class), {}
    for field in dataclasses.fields(config_class) if hints else ():
        kind, default = hints[field.name], field.default
        if default is not dataclasses.MISSING and not fits(default, kind):
            kind = Union[kind, type(default)]  # noqa: UP007  (made of values)
        types[field.name] = kind
    return types


def typed(where: str, value: object, kind: Any) -> object:
    """Return a row's value, or for a mapping the dataclass that the annotation names.

    Raises:
        ConfigError: the value is not of the annotated type.
    """
    if isinstance(value, Mapping):
        inner = next((part for part in (kind, *get_args(kind)) if dataclasses.is_dataclass(part)), None)
        if inner is not None:
            return _nested(where, value, inner)
    if not fits(value, kind):
        raise ConfigError(f"{where}: must be {readable(kind)}, got {value!r}")
    return value


def _nested(where: str, values: Mapping[str, Any], config_class: Any) -> object:
    types = types_of(config_class)
    for name in values:
        if name not in types:
            raise unknown(where, "field", name, types)
    try:
        return config_class(**{name: typed(f"{where}, {name}", value, types[name]) for name, value in values.items()})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from None


def readable(kind: Any) -> str:
    """Return an annotation in words.

    >>> readable(list[str] | Literal["all"] | None)
    "list[str] or 'all' or null"
    """
    if get_origin(kind) in (Union, UnionType):
        # Python gives the parts in an order that may differ by run
        words = {readable(part) for part in union_parts(kind)}
        return " or ".join(sorted(words, key=lambda word: (word == "null", "'" in word, word)))
    if get_origin(kind) is Literal:
        return " or ".join(repr(part) for part in get_args(kind))
    if is_enum(kind):
        return " or ".join(repr(member.value) for member in kind)
    if kind is NoneType:
        return "null"
    origin, parts = get_origin(kind), [part for part in get_args(kind) if part is not ...]
    if origin is Annotated:
        return readable(parts[0])
    name = getattr(origin or kind, "__name__", str(kind))
    return f"{name}[{', '.join(map(readable, parts))}]" if parts else name
