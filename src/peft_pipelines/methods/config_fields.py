"""The fields of the libraries' config classes and of the project's own rows, read from their type annotations."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from itertools import chain
from types import NoneType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from peft_pipelines.methods.docstring_help import argument_help
from peft_pipelines.methods.kinds import ConfigField, Kind
from peft_pipelines.methods.type_check import LISTS, annotations_of, fits, is_enum, readable, types_of, union_parts

PLAIN: Final = {bool: "bool", int: "int", float: "float", str: "text", dict: "map", Mapping: "map"}


def kind_of(annotation: Any) -> Kind:
    """Return the kind that a type annotation stands for.

    >>> found = kind_of(list[int] | Literal["all"] | None)
    >>> found.name, [option.name for option in found.options], found.optional, found.words
    ('yaml', ['choice', 'list'], True, "list[int] or 'all' or null")
    """
    parts = union_parts(annotation)
    kinds = _merged([_single(part) for part in parts if part is not NoneType])
    found = kinds[0] if len(kinds) == 1 else Kind("yaml", options=tuple(kinds))
    anything = found.name == "yaml" and not found.options
    return replace(found, optional=anything or NoneType in parts, words=readable(annotation))


def fields_of_dataclass(
    config: Any, hidden: Collection[str] = (), refused: Mapping[str, Collection[str]] | None = None
) -> tuple[ConfigField, ...]:
    """Return the arguments of a dataclass, with the help in their metadata or in the class's docstring.

    Args:
        config: the class.
        hidden: names of the arguments that no row may give.
        refused: by name, choices that no row may give.
    """
    declared, types, helps = annotations_of(config), types_of(config), argument_help(config)
    found = []
    for field in dataclasses.fields(config):
        if field.init:
            kind = without(types.get(field.name, Any), (refused or {}).get(field.name, ()))
            is_open = field.default is None and not fits(None, declared.get(field.name, Any))
            told = " ".join(str(field.metadata.get("help") or helps.get(field.name, "")).split())
            allowed = kind_of(kind)
            if is_open:
                allowed = replace(allowed, words=readable(without(kind, [None])))
            given = (_default_of(field), _is_required(field), told, is_open, field.name not in hidden)
            found.append(ConfigField(field.name, allowed, *given))
    return tuple(found)


def fields_of_spec(spec: type[BaseModel]) -> tuple[ConfigField, ...]:
    """Return the fields of a row, such as a task's or the training arguments'; its name is none: it is the row's key.

    >>> from peft_pipelines.config import EnergySpec
    >>> [field.name for field in fields_of_spec(EnergySpec)]
    ['enabled', 'country']
    """
    return tuple(_of_spec(name, field) for name, field in spec.model_fields.items() if name != "name")


def without(annotation: Any, refused: Collection[Any]) -> Any:
    """Return an annotation without some of its choices.

    >>> without(Literal["a", "b"] | bool, ["b"]) == Literal["a"] | bool
    True
    """
    parts = [part for part in union_parts(annotation) if not (part is NoneType and None in refused)]
    kept = [
        Literal[tuple(choice for choice in get_args(part) if choice not in refused)]
        if get_origin(part) is Literal
        else part
        for part in parts
    ]
    return Union[tuple(kept)]  # noqa: UP007  (made of values)


def _of_spec(name: str, field: FieldInfo) -> ConfigField:
    default = None if field.is_required() else _written(field.get_default(call_default_factory=True))
    told = " ".join((field.description or "").split())
    return ConfigField(name, kind_of(field.annotation), default, field.is_required(), told)


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _default_of(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return _written(field.default_factory())
    return None if field.default is dataclasses.MISSING else _written(field.default)


def _written(value: Any) -> Any:
    """A default as the YAML has it: a list for a set or a tuple, a member's value, a map for a row."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        return _written(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _written(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, LISTS):
        return [_written(item) for item in (sorted(value, key=repr) if isinstance(value, set) else value)]
    return value


def _single(part: Any) -> Kind:
    """The kind of an annotation that is no union."""
    origin, inner = get_origin(part), get_args(part)
    if origin is Literal or is_enum(part):
        return _choice(inner or tuple(member.value for member in part))
    if origin in LISTS or part in LISTS:
        return _list(inner, fixed=origin is tuple and ... not in inner)
    if origin in (dict, Mapping):
        return Kind("map", items=kind_of(inner[1]))
    if dataclasses.is_dataclass(part):
        return Kind("map", fields=fields_of_dataclass(part))
    if isinstance(part, type) and issubclass(part, BaseModel):
        return Kind("map", fields=fields_of_spec(part))
    return Kind(PLAIN.get(part, "yaml"))


def _choice(values: Sequence[Any]) -> Kind:
    patterns = tuple(value for value in values if isinstance(value, str) and "[" in value)
    return Kind("choice", tuple(value for value in values if value not in patterns), patterns)


def _list(parts: tuple[Any, ...], *, fixed: bool) -> Kind:
    items = Union[parts if fixed else parts[:1]] if parts else Any  # noqa: UP007  (made of values)
    return Kind("list", items=kind_of(items), length=len(parts) if fixed else None)


def _merged(kinds: Sequence[Kind]) -> list[Kind]:
    """Kinds of a union's parts, choices in one, and none that another one contains."""
    names = {kind.name for kind in kinds}
    rows = any(kind.fields for kind in kinds)
    contained = {"int"} if "float" in names else set()
    if "choice" in names:
        choices = [(True, False)] * ("bool" in names) + [kind.choices for kind in kinds]
        patterns = [text for kind in kinds for text in kind.patterns]
        one = Kind("choice", tuple(chain.from_iterable(choices)), tuple(patterns), "text" not in names)
        kinds = [one, *(kind for kind in kinds if kind.name not in ("bool", "choice", "text"))]
    return [kind for kind in kinds if kind.name not in contained and not (rows and kind == Kind("map"))]
