"""What JSON leaves to its reader, decided: a name stands once in an object, and NaN is no number."""

from typing import Any


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields (``object_pairs_hook``); ValueError where one stands twice.

    >>> each_once([("a", 1), ("b", 2)])
    {'a': 1, 'b': 2}
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"field '{next(name for name in names if names.count(name) > 1)}' stands twice in an object")
    return found


def no_number(text: str) -> Any:
    """Raise ValueError for what is no number of JSON (``parse_constant``): NaN and the infinities."""
    raise ValueError(f"{text} is no JSON number, write null")
