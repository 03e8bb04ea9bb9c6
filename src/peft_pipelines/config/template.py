"""Templates of a task's row: ``{column}`` stands for the value of the column of exactly that name, nothing else."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

# In this order: an escaped brace, a column, text, a brace that is left over.
_PART = re.compile(r"(?P<escaped>\{\{|\}\})|\{(?P<column>[^{}]*)\}|(?P<text>[^{}]+)|(?P<stray>[{}])")
# Python's conversions and format specifications, but for those that are bare letters: these may belong to a name.
_FORMAT = re.compile(r".*(?:![rsa](?::.*)?|:(?=.*[^a-zA-Z])(?:.?[<>=^])?[+\- ]?z?#?0?\d*[,_]?(?:\.\d+)?[a-zA-Z%]?)")
ALLOWED = "Allowed: {column} for the value of a column, {{ and }} for braces"


def template_fields(template: str) -> list[str]:
    """Return the column names in a template.

    >>> template_fields("{premise} ... {review.text} {{}}")
    ['premise', 'review.text']
    """
    return [part["column"] for part in _PART.finditer(template) if part["column"] is not None]


def fill(template: str, row: Mapping[str, Any]) -> str:
    """Return a template's text with the values of a row in it.

    Values are put in as they are: braces inside them stay.

    Raises:
        KeyError: the row has no column of a name.

    >>> fill("{{{review.text}}}", {"review.text": "not {so} bad"})
    '{not {so} bad}'
    """
    return "".join(_filled(part, row) for part in _PART.finditer(template))


def _filled(part: re.Match[str], row: Mapping[str, Any]) -> str:
    if part["column"] is not None:
        return str(row[part["column"]])
    return part[0][0] if part["escaped"] else part[0]


def check_columns(template: str) -> str:
    """Return a template, which may be a text without a column.

    Raises:
        ValueError: it has a brace without its counterpart, or a column without a name or with a format.

    >>> check_columns("Text: {sentence")
    Traceback (most recent call last):
    ValueError: the brace at character 7 has no counterpart in 'Text: {sentence'. Allowed: {column} for ...
    """
    shown = f"{template!r:.80}"
    stray = next((part.start() for part in _PART.finditer(template) if part["stray"]), None)
    if stray is not None:
        raise ValueError(f"the brace at character {stray + 1} has no counterpart in {shown}. {ALLOWED}")
    for field in template_fields(template):
        if not field.strip():
            raise ValueError(f"'{{{field}}}' names no column in {shown}. {ALLOWED}")
        if _FORMAT.fullmatch(field):
            raise ValueError(f"'{{{field}}}' has a format, which templates do not know, in {shown}. {ALLOWED}")
    return template


def check_template(template: str) -> str:
    """Return the template; raise ValueError as ``check_columns``, and where it names no column."""
    if not template_fields(check_columns(template)):
        raise ValueError(f"must name a column, got {f'{template!r:.80}'}. {ALLOWED}")
    return template


Template = Annotated[str, AfterValidator(check_template), Field(json_schema_extra={"pattern": r"\{[^{}]"})]
