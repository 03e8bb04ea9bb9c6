"""What the page Method sends, and the row that it stands for, with each mistake at its field."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.grid_form import LONGEST
from peft_pipelines.board.known_types import check_type
from peft_pipelines.board.method_subject import CONFIG, ROW, SECTIONS, TRAINING, Subject, of_row, of_type
from peft_pipelines.board.project import Project
from peft_pipelines.config import NAME_PATTERN, MethodSpec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.form_fields import text_of, value_of
from peft_pipelines.methods.kinds import ConfigField

NEW_NAME, TYPE = "new", "type"
Wrong = dict[str, str]
"""Mistakes in one line each, by section and field, as in ``config.r``."""
SOUND: Final = {
    "provider": "none",
    "type": "none",
    "family": "baseline",
    CONFIG: {},
    TRAINING: {},
    "citation": "none",
}
"""A row without a mistake, in which one field at a time is tried."""


class MethodForm(BaseModel):
    """The fields of the page.

    ``env`` was shown, ``name`` is to be written. ``row`` is the row that is changed; where it is empty, ``new`` is the
    name of one that is made. ``texts`` are as they were typed, by section and field; what is not among them stays.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    env: str
    name: str
    seen: str
    row: str
    provider: str
    type: str
    new: str
    texts: dict[str, dict[str, str]] = Field(max_length=len(SECTIONS))

    @property
    def method(self) -> str:
        """The name of the row that the form stands for."""
        return self.row or self.new


def subject_of(project: Project, form: MethodForm) -> Subject:
    """Return what a form changes, or the type of what it makes; errors as of ``of_row`` and ``of_type``."""
    if form.row:
        return of_row(project, form.env, form.row)
    return of_type(project, form.env, form.provider, form.type)


def filled(project: Project, form: MethodForm, subject: Subject) -> tuple[MethodSpec | None, Wrong]:
    """Return the row that a form stands for, None where it stands for none, and the mistakes by field."""
    rows = rows_of(project, form.env)
    wrong: Wrong = {} if form.row else _name_error(form.new, rows)
    try:
        check_type(project, rows, subject.provider, subject.type)
    except ConfigError as error:
        wrong[TYPE] = f"method '{form.method}': {error}"
    found = {section: _section(form, subject, section, rows, wrong) for section in SECTIONS}
    if wrong:
        return None, wrong
    given = {"name": form.method, "provider": subject.provider, "type": subject.type, **found[ROW]}
    try:
        return parse(MethodSpec, _where(form, ROW), {**given, CONFIG: found[CONFIG], TRAINING: found[TRAINING]}), {}
    except ConfigError as error:
        return None, {TYPE: str(error)}


def _name_error(name: str, rows: Rows) -> Wrong:
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > LONGEST:
        return {NEW_NAME: "must be small letters, digits and _ behind a letter"}
    if name in rows.parameters.methods:
        return {NEW_NAME: f"'{name}' is there already: choose another name, or open that row to change it"}
    return {}


def _where(form: MethodForm, section: str) -> str:
    """What the command line calls a part of the row."""
    return f"method '{form.method}'" + ("" if section == ROW else f", {section}")


def _section(form: MethodForm, subject: Subject, section: str, rows: Rows, wrong: Wrong) -> dict[str, Any]:
    """The values of a section; its mistakes are added."""
    where, texts = _where(form, section), form.texts.get(section, {})
    known = {field.name: field for field in subject.fields[section] if field.settable}
    before: Mapping[str, Any] = subject.values[section] if subject.name else {}
    found = {name: value for name, value in before.items() if name not in texts}
    for name, text in texts.items():
        try:
            if name in known and name in before and text == text_of(known[name], before[name]):
                found[name] = before[name]
            elif text.strip():
                found[name] = _value(where, known, name, text)
                _try(where, section, form.method, {name: found[name]}, rows)
        except ConfigError as error:
            wrong[f"{section}.{name}"] = str(error)
    for name, field in known.items():
        if field.required and name not in found:
            wrong.setdefault(f"{section}.{name}", f"{where}, {name}: must be given, as {field.kind.words}")
    return found


def _value(where: str, known: Mapping[str, ConfigField], name: str, text: str) -> object:
    if name not in known:
        raise unknown(where, "field", name, known)
    return value_of(known[name], text, where)


def _try(where: str, section: str, name: str, value: dict[str, Any], rows: Rows) -> None:
    """Raise ConfigError for a value that the row's own checks refuse."""
    if section == TRAINING:
        parse(TrainingSpec, where, {**rows.parameters.training.model_dump(), **value})
    else:
        tried = value if section == ROW else {CONFIG: value}
        parse(MethodSpec, f"method '{name}'", {**SOUND, "name": name, **tried})
