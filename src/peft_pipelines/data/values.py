"""What a raw value is: as text in a template, as a number, as a list of texts. Nothing else may stand in a prompt."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

ALLOWED = "text, a number, true or false"
_KINDS = {
    dict: "an object",
    list: "a list",
    tuple: "an object",
    bytes: "binary",
    "datetime": "a point in time",
    "Timestamp": "a point in time",
    "date": "a date",
    "time": "a time of day",
    "timedelta": "a span of time",
    "Timedelta": "a span of time",
}
"""Words for the types that are refused, by class or by the name of one from a library."""


def written(value: Any) -> str:
    """Return a raw value as the text that a template shows: digits of whole numbers, ``true`` and ``false``.

    Raises:
        ValueError: it is of another kind, such as a list, a date or binary, or no number (NaN, infinity).

    >>> [written(value) for value in ("007", 7, 1.5, True, Decimal("1.50"))]
    ['007', '7', '1.5', 'true', '1.50']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        return repr(value) if isinstance(value, float) else f"{value:f}"
    raise ValueError(f"{kind_of(value)}, it must hold {ALLOWED}, got {value!r:.80}")


def text_in(row: Mapping[str, Any], column: str) -> str:
    """Return a column as text.

    Raises:
        ValueError: it holds something that is no text or number.

    >>> text_in({"n": 2}, "n")
    '2'
    """
    try:
        return written(row[column])
    except ValueError as error:
        raise ValueError(f"column '{column}' {error}") from None


def kind_of(value: Any) -> str:
    """Return what a value is, in words, with its verb.

    >>> kind_of(["a"]), kind_of(None), kind_of(float("nan"))
    ('is a list', 'is null', 'is no number')
    """
    if value is None:
        return "is null"
    if isinstance(value, float | Decimal):
        return "is no number"
    kind = type(value)
    return f"is {_KINDS.get(kind) or _KINDS.get(kind.__name__) or kind.__name__}"


def number_in(row: dict[str, Any], column: str) -> float:
    """Return a column's value as a number, also where a file of text holds it.

    Raises:
        KeyError: the column is missing.
        ValueError: the value is no finite number.

    >>> number_in({"label": "3.8"}, "label")
    3.8
    """
    value = row[column]
    try:
        found = float(value) if isinstance(value, str | int | float | Decimal) else math.nan
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"column '{column}' must be a number, got {value!r:.80}")
    return found


def whole_in(row: dict[str, Any], column: str) -> int:
    """Return a column's value as a whole number; errors as for ``number_in``.

    >>> whole_in({"span1_index": "2"}, "span1_index")
    2
    """
    found = number_in(row, column)
    if not found.is_integer():
        raise ValueError(f"column '{column}' must be a whole number, got {row[column]!r:.80}")
    return int(found)


def texts_in(value: Any, column: str) -> list[str]:
    """Return a column's list of texts.

    Raises:
        ValueError: it is no list, such as the cell of a CSV file, or holds something that is no text or number.

    >>> texts_in(["a", 2], "choices")
    ['a', '2']
    """
    if not isinstance(value, list):
        raise ValueError(f"column '{column}' must be a list, got {value!r:.80}")
    try:
        return [written(item) for item in value]
    except ValueError as error:
        raise ValueError(f"column '{column}' is a list in which an entry {error}") from None


def opening(story: str) -> str:
    """The first sentence of a text with # in place of each number: how a story begins that is told with several.

    >>> opening("Jo had 3.5 km to run. Then 2 more."), opening("Jo ran")
    ('Jo had # km to run.', 'Jo ran')
    """
    return re.sub(r"\d+(\.\d+)?", "#", re.split(r"(?<=[.?!]) ", story, maxsplit=1)[0])
