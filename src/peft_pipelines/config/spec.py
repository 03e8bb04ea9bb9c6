"""The strict base class of all rows, and the types of values in their fields."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
LONGEST_NAME = 64
MOST = 2**31 - 1
"""The largest count, as libraries hold them in 32 bits."""
DEEPEST = 8
"""Lists and mappings inside each other in an option of a library."""


def shown(value: object) -> str:
    """Return a value as errors show it, in at most 80 characters."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a number of thousands of digits"


def written(value: str) -> str:
    """Return a text; raise ValueError where nothing can be seen of it, or it holds a NUL, which ends paths."""
    if not value.strip():
        raise ValueError(f"must hold text, got {shown(value)}")
    if "\0" in value:
        raise ValueError(f"must not hold the character NUL, got {shown(value)}")
    return value


Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)]
Text = Annotated[str, AfterValidator(written), Field(json_schema_extra={"pattern": r"\S"})]
Count = Annotated[int, Field(ge=1, le=MOST)]
Batch = Annotated[int, Field(ge=1, le=65_536)]
FEWEST = 16
"""Tokens that a row has at least."""
Tokens = Annotated[int, Field(ge=FEWEST, le=MOST)]
RowName = Annotated[
    str, Field(description="The row's own name, which is its key in the YAML; not to be given in the row.")
]
Notes = Annotated[str, Field(description="Remarks for readers; decide nothing.")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What numpy takes, whose range is the smallest of those that are seeded."""
Share = Annotated[float, Field(gt=0, lt=1)]


def as_tuple(value: object) -> object:
    """Turn a list of the YAML into a tuple, which a frozen row can hold; return all else as it is."""
    return tuple(value) if isinstance(value, list) else value


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values; raise ValueError for the first that stands there twice."""
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"must name each once, got {twice!r} twice")
    return values


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a library; raise ValueError for a value that no library can mean, at any depth."""
    _check_plain("", options, 0)
    return options


def _check_plain(path: str, value: object, depth: int) -> None:
    where = f"{path}: " if path else ""
    if depth > DEEPEST:
        raise ValueError(f"{path.partition('.')[0]}: must hold at most {DEEPEST} lists or rows inside each other")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where}names must be text, write them in quotes, got {shown(key)}")
            _check_plain(f"{path}.{key:.80}" if path else f"{key:.80}", item, depth + 1)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_plain(f"{path}.{number}", item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}must be a finite number, got {value!r}")
    elif isinstance(value, int) and abs(value) > MOST:
        raise ValueError(f"{where}must be from {-MOST} to {MOST}, got {shown(value)}")
    elif isinstance(value, str) and "\0" in value:
        raise ValueError(f"{where}must not hold the character NUL, got {shown(value)}")
    elif not isinstance(value, str | int | float | None):
        raise ValueError(f"{where}must be text, a number, a list, a row, true, false or null, got {shown(value)}")


Options = Annotated[dict[str, Any], AfterValidator(plain)]
"""Options of a library by name; which there are and what fits them the library's own config says."""

Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple), Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_tuple), AfterValidator(distinct)]


class Spec(BaseModel):
    """A row of the configuration: immutable; unknown keys, values of another type and infinite numbers are errors.

    A field has its description in its place, which forms and schemas show.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
