"""A row as a form: the fields of a type's config, and texts that stand for their values in both directions."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.spec import shown
from peft_pipelines.config.strict_yaml import parse_value
from peft_pipelines.config.yaml_tree import Dumper
from peft_pipelines.methods.kinds import ConfigField, Kind

NULL = "null"
WIDEST = 2**31
"""Characters of a line, so that YAML breaks none."""


def fields_of(provider: str, kind: str, rows: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[ConfigField, ...]:
    """Return the fields that the config of a type has, also those that no row may give (``settable`` is false).

    Args:
        provider: the provider's name.
        kind: the type's name there, as a row gives it.
        rows: the method rows by name, for types that an installed package brings; none are needed for others.

    Raises:
        ConfigError: the provider has no such type.
    """
    from peft_pipelines.methods.catalogue import available  # noqa: PLC0415  (heavy: texts alone need no library)

    found = {(one.provider, one.type): one.all_fields for one in available(rows)}
    if (provider, kind) not in found:
        raise unknown(f"provider '{provider}'", "type", kind, [name for owner, name in found if owner == provider])
    return found[provider, kind]


def text_of(field: ConfigField, value: object) -> str:
    """Return the text that stands for a value in a form: plain for texts and choices, for all else one line of YAML.

    >>> from peft_pipelines.methods.config_fields import kind_of
    >>> rank = ConfigField("r", kind_of(int | None))
    >>> text_of(rank, 8), text_of(rank, None)
    ('8', 'null')
    >>> text_of(ConfigField("target_modules", kind_of(list[str] | str)), ["q_proj", "v_proj"])
    '[q_proj, v_proj]'
    """
    if value is None:
        return NULL
    if isinstance(value, str) and field.kind.name in ("choice", "text"):
        return value
    written = yaml.dump(value, Dumper=Dumper, default_flow_style=True, width=WIDEST, sort_keys=False)
    return written.removesuffix("\n").removesuffix("\n...")


def value_of(field: ConfigField, text: str, where: str = "config") -> object:
    """Return the value that a text in a form stands for; the inverse of ``text_of``.

    ``null`` stands for null in a field that may hold it. Of an int, a float, a truth value, a list, a map and YAML the
    text is read as in a row's file, by the same rules.

    Args:
        field: the field.
        text: what the form gives back.
        where: what errors call the row.

    Raises:
        ConfigError: the text stands for no value that the field may hold.

    >>> from peft_pipelines.methods.config_fields import kind_of
    >>> value_of(ConfigField("r", kind_of(int)), "eight")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: config, r: must be int, got 'eight'
    """
    if field.kind.optional and text.strip() == NULL:
        return None
    here = f"{where}, {field.name}"
    value = _value(field.kind, text, here)
    if not field.kind.allows(value):
        raise ConfigError(f"{here}: must be {field.kind.words}, got {shown(value)}")
    return value


def _value(kind: Kind, text: str, where: str) -> object:
    if kind.name == "text":
        return text
    if kind.name == "choice":
        return {"true": True, "false": False}.get(text, text) if True in kind.choices else text
    return parse_value(text, where)


def values_of(fields: Iterable[ConfigField], texts: Mapping[str, str], where: str = "config") -> dict[str, object]:
    """Return what a row says where a form was filled in so; a field whose text is empty is left out.

    Args:
        fields: the fields of the form.
        texts: the texts by the names of the fields.
        where: what errors call the row.

    Raises:
        ConfigError: a name is of no field, no row may give it, a required one is empty, or a text stands for no value
            of its field.
    """
    known = {field.name: field for field in fields if field.settable}
    for name in texts:
        if name not in known:
            raise unknown(where, "field", name, known)
    for name, field in known.items():
        if field.required and not texts.get(name, "").strip():
            raise ConfigError(f"{where}, {name}: must be given, as {field.kind.words}")
    return {name: value_of(known[name], text, where) for name, text in texts.items() if text.strip()}
