"""JSON Schemas of the configs of method types, from the kinds of their fields."""

import re
from collections.abc import Iterable
from typing import Any, Final

from peft_pipelines.methods.kinds import ConfigField, Kind

Schema = dict[str, Any]
TYPES: Final = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "text": "string",
    "list": "array",
    "map": "object",
}
LONGEST: Final = 240
"""Characters of a help that are kept; `kedro methods` shows all of it."""


def config_schema(fields: Iterable[ConfigField]) -> Schema:
    """Return the schema of a config: the fields that a row may give, and no others."""
    known = [field for field in fields if field.settable]
    required = [field.name for field in known if field.required]
    properties = {field.name: _property(field) for field in known}
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def schema_of(kind: Kind) -> Schema:
    """Return the schema of what a field may hold.

    >>> schema_of(Kind("int", optional=True)), schema_of(Kind("choice", ("none", "all")))
    ({'type': ['integer', 'null']}, {'enum': ['none', 'all']})
    """
    if kind.name == "choice":
        return _of_choice(kind)
    if kind.name == "yaml":
        null = [{"type": "null"}] if kind.optional else []
        return {"anyOf": [*map(schema_of, kind.options), *null]} if kind.options else {}
    found: Schema = {"type": [TYPES[kind.name], "null"] if kind.optional else TYPES[kind.name]}
    if kind.name == "list":
        items = {"items": schema_of(kind.items)} if kind.items else {}
        length = {"minItems": kind.length, "maxItems": kind.length} if kind.length else {}
        return {**found, **items, **length}
    if kind.name == "map" and kind.fields:
        return {**config_schema(kind.fields), **found}
    if kind.name == "map" and kind.items:
        return {**found, "additionalProperties": schema_of(kind.items)}
    return found


def _of_choice(kind: Kind) -> Schema:
    listed = {"enum": [*kind.choices, *([None] if kind.optional else [])]}
    begun = [{"type": "string", "pattern": "^" + re.escape(text.split("[", 1)[0])} for text in kind.patterns]
    others = [*begun, *([] if kind.closed else [{"type": "string"}])]
    return {"anyOf": [listed, *others]} if others else listed


def _property(field: ConfigField) -> Schema:
    described = {"description": _short(field.help)} if field.help else {}
    default = {} if field.required else {"default": field.default}
    return {**described, **schema_of(field.kind), **default}


def _short(text: str) -> str:
    """The first sentences of a help; where the first one is long, its beginning."""
    if len(text) <= LONGEST:
        return text
    end = text.rfind(". ", 0, LONGEST)
    return text[: end + 1] if end > 0 else f"{text[: text.rfind(' ', 0, LONGEST)]} …"
