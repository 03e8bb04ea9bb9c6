"""The fields of a row as the page Method shows them: text, help, and what stands for a field that is left out."""

from collections.abc import Iterator
from typing import Any, Final

from peft_pipelines.board.method_subject import CONFIG, SECTIONS, TRAINING, Subject
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.methods.form_fields import NULL, text_of
from peft_pipelines.methods.kinds import ConfigField, Kind

SELECT, LINE, AREA = "select", "line", "area"
"""Elements of a form."""
NUMBERS: Final = ("int", "float")
TRUTH: Final = (True, False)
WIDE, TALLEST = 44, 8
"""Signs of a line, and lines, of an area."""
NOT_SET: Final = "No row may give it: the project sets it, or nothing here could use it."
NOT_SHOWN: Final = "It holds signs that a form cannot give back: change it in the file."


def shown(subject: Subject) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the fields by section and by what becomes of them: given by the row, left out, and not for a row."""
    return {section: dict(_groups(subject, section)) for section in SECTIONS}


def _groups(subject: Subject, section: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    values, fields = subject.values[section], {field.name: field for field in subject.fields[section]}
    unknown = {name: ConfigField(name, Kind("yaml", optional=True)) for name in values if name not in fields}
    every = [_field(subject, section, field, field.name in unknown) for field in (*unknown.values(), *fields.values())]
    free = [one for one in every if not one["fixed"]]
    yield "given", [one for one in free if one["name"] in values or one["required"]]
    yield "left", [one for one in free if not (one["name"] in values or one["required"])]
    yield "fixed", [one for one in every if one["fixed"]]


def _field(subject: Subject, section: str, field: ConfigField, unknown: bool) -> dict[str, Any]:
    values, base = subject.values[section], subject.base[section]
    text = text_of(field, values[field.name]) if field.name in values else ""
    below = text_of(field, base[field.name]) if field.name in base else ""
    default = "" if field.required or field.open or unknown else text_of(field, field.default)
    choices = _choices(field.kind, text)
    strange = for_terminal(text, keep="\n") != text
    return {
        "name": field.name,
        "text": text,
        "begun": below if subject.name else text,
        "default": default,
        "usual": (default if field.name in base else "") if section == CONFIG and not field.required else None,
        "left_out": _left_out(field, section, default, f"{subject.type} has no such field." if unknown else ""),
        "help": field.help,
        "required": field.required,
        "words": field.kind.words,
        "element": SELECT if choices and field.kind.closed and not field.kind.patterns else _element(field.kind),
        "choices": choices,
        "numeric": field.kind.name in NUMBERS,
        "lines": min(TALLEST, text.count("\n") + 1 + max(map(len, text.split("\n"))) // WIDE),
        "fixed": NOT_SHOWN if strange else "" if field.settable else NOT_SET,
    }


def _left_out(field: ConfigField, section: str, default: str, refused: str) -> str:
    """What stands for a field that is left out."""
    if refused:
        return f"{refused} Leave it empty."
    if field.required:
        return "Required."
    if field.open:
        return "If left out: found from the model, where it can be."
    if section == TRAINING:
        return f"If left out: {default}, as for all cells."
    word = "The library's default" if section == CONFIG else "If left out"
    return f"{word}: {default or 'an empty text'}."


def _choices(kind: Kind, text: str) -> list[str]:
    """The texts of a field with few values, the one that it has among them; none of others."""
    if kind.name not in ("choice", "bool"):
        return []
    field = ConfigField("", kind)
    texts = [text_of(field, value) for value in (kind.choices if kind.name == "choice" else TRUTH)]
    texts += [NULL] if kind.optional else []
    return texts + ([text] if text and text not in texts else [])


def _element(kind: Kind) -> str:
    return LINE if kind.name in (*NUMBERS, "choice") else AREA
