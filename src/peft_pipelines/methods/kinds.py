"""What a field may hold, as data: for a form in which a row is filled in, and for the schemas of the YAML files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Kind:
    """What a field may hold.

    Attributes:
        name: ``choice``, ``bool``, ``int``, ``float`` (an int fits too), ``text``, ``list``, ``map`` (values by name)
            or ``yaml`` (any of ``options``; without options anything that YAML can say).
        choices: of a choice, the values, of which some may be true and false.
        patterns: of a choice, further texts with a part in brackets that stands for anything, as in ``name_[number]``.
        closed: of a choice, whether other texts than these are refused.
        items: what a list's items, or a map's values, may hold; None for anything.
        length: of a list, the number of its items; None for any.
        fields: of a map whose keys are given, its fields; empty for any keys.
        options: of ``yaml``, the kinds of which one must fit.
        optional: whether null is allowed.
        words: all of it in words, as errors say it.
    """

    name: str
    choices: tuple[Any, ...] = ()
    patterns: tuple[str, ...] = ()
    closed: bool = True
    items: "Kind | None" = None
    length: int | None = None
    fields: tuple["ConfigField", ...] = ()
    options: tuple["Kind", ...] = ()
    optional: bool = False
    words: str = ""

    def allows(self, value: object) -> bool:
        """Whether a value of the YAML is of this kind.

        >>> Kind("list", items=Kind("text")).allows(["q_proj"]), Kind("float").allows(True)
        (True, False)
        """
        if value is None:
            return self.optional
        return _ALLOWS[self.name](self, value)


@dataclass(frozen=True)
class ConfigField:
    """A field that a row has.

    Attributes:
        name: its name in the YAML.
        kind: what it may hold.
        default: the value where a row leaves it out, as the YAML has it; None where it is required.
        required: whether a row must give it.
        help: the full help of the library or of this project, in one line; empty where there is none.
        open: whether the default is None although the kind knows no null: the value is found from the model, or the row
            must give it.
        settable: whether a row may give it; otherwise the project gives it, or nothing here could use it.
    """

    name: str
    kind: Kind
    default: object = None
    required: bool = False
    help: str = ""
    open: bool = False
    settable: bool = True


def _fits_choice(kind: Kind, value: object) -> bool:
    listed = any(value == choice and type(value) is type(choice) for choice in kind.choices)
    begun = isinstance(value, str) and any(value.startswith(text.split("[", 1)[0]) for text in kind.patterns)
    return listed or begun or (not kind.closed and isinstance(value, str))


def _fits_list(kind: Kind, value: object) -> bool:
    if not isinstance(value, list) or kind.length not in (None, len(value)):
        return False
    return kind.items is None or all(map(kind.items.allows, value))


def _fits_map(kind: Kind, value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    if kind.fields:
        known = {field.name: field.kind for field in kind.fields}
        return all(name in known and known[name].allows(item) for name, item in value.items())
    return kind.items is None or all(map(kind.items.allows, value.values()))


_ALLOWS: Final[dict[str, Callable[[Kind, object], bool]]] = {
    "choice": _fits_choice,
    "bool": lambda _, value: isinstance(value, bool),
    "int": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda _, value: isinstance(value, int | float) and not isinstance(value, bool),
    "text": lambda _, value: isinstance(value, str),
    "list": _fits_list,
    "map": _fits_map,
    "yaml": lambda kind, value: not kind.options or any(option.allows(value) for option in kind.options),
}
