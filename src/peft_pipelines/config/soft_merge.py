"""An environment's values over the base's: fields inside each other, everything else as a whole."""

from collections.abc import Mapping
from typing import Any


def soft_merge(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base's values with the other's over them.

    Values are final, and a text stays as it is: Kedro's own merge reads it again, so that a written ``\\${`` would
    begin an interpolation after all.

    >>> soft_merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2], "d": "${x}"}})
    {'a': {'b': 1, 'c': [2], 'd': '${x}'}}
    """
    merged = dict(base)
    for key, value in other.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = soft_merge(merged[key], value) if both else value
    return merged
