"""A method's row in the files of an environment: what changes there, and why an environment cannot say it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from peft_pipelines.board import written
from peft_pipelines.board.environment_files import PARAMETERS, files_of
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.grid_form import Draft, name_errors
from peft_pipelines.board.method_form import MethodForm, Wrong, filled, subject_of
from peft_pipelines.board.method_subject import CONFIG, NOTHING, ROW, TRAINING, Sections, Subject, sections
from peft_pipelines.board.project import Project
from peft_pipelines.config import MethodSpec
from peft_pipelines.config.commented_yaml import plain_of
from peft_pipelines.config.edited_yaml import REMOVED, Keys
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.soft_merge import soft_merge
from peft_pipelines.config.spec import shown

METHODS: Final = "methods"
HEAD: Final = "# What this environment changes; made on the board.\n"
_ABSENT: Final = object()


@dataclass(frozen=True)
class Made:
    """What a form stands for: the environment's files, the row that a run reads of them, and the fields that change."""

    draft: Draft
    method: MethodSpec
    changed: tuple[str, ...]


def draft(project: Project, form: MethodForm) -> tuple[Made | None, Wrong]:
    """Return what a form stands for, None where it stands for nothing, and the mistakes by field, in one line each."""
    subject = subject_of(project, form)
    method, wrong = filled(project, form, subject)
    wrong |= dict(name_errors(project, form.env, form.name))
    if method is None or wrong:
        return None, wrong
    changes = _changes(subject, method)
    wrong = dict(_kept(project, subject, method))
    if wrong:
        return None, wrong
    below = {(METHODS, method.name, *keys): value for keys, value in changes.items()}
    files = files_of(project, form.env).with_values(PARAMETERS, below, HEAD)
    wrong = dict(_not_said(subject, method, files.values(PARAMETERS), changes))
    if wrong:
        return None, wrong
    cells = len(rows_of(project, form.env).grid.cells())
    return Made(Draft(form.name, files.texts, cells), method, tuple(".".join(keys) for keys in changes)), {}


def checked(project: Project, made: Made) -> None:
    """Read a draft as a run would.

    Raises:
        ConfigError: a file, a row or the grid is not as it must be, or the row is another one than the form's.
    """
    found = written.check(project, made.draft).parameters.methods.get(made.method.name)
    if found != made.method:
        raise ConfigError(
            f"method '{made.method.name}': another file of '{made.draft.name}' changes this row too, so that it would "
            "not be as it stands here; change it there"
        )


def _leaves(values: Sections) -> dict[Keys, Any]:
    """Values by the keys that lead to them in a row."""
    own = {(name,): value for name, value in values[ROW].items()}
    return own | {(part, name): value for part in (CONFIG, TRAINING) for name, value in values[part].items()}


def _changes(subject: Subject, method: MethodSpec) -> dict[Keys, Any]:
    """What changes in the environment's own row, in the order of a row's fields."""
    new, now, base = (_leaves(values) for values in (sections(method), subject.values, subject.base))
    if not subject.name:
        return dict(_whole(method))
    emptied: dict[Keys, Any] = {
        (part,): {}
        for part in (CONFIG, TRAINING)
        if subject.values[part] and not sections(method)[part] and not subject.base[part]
    }
    changes: dict[Keys, Any] = {}
    for keys in {**now, **new}:
        value = new.get(keys, REMOVED)
        if _same(value, now.get(keys, _ABSENT)) or keys[:1] in emptied:
            continue
        changes[keys] = REMOVED if _same(value, base.get(keys, _ABSENT)) else value
    return changes | emptied


def _whole(method: MethodSpec) -> Iterator[tuple[Keys, Any]]:
    """A new row, its parts field by field, so that each has a line of its own."""
    given = method.model_dump(mode="json", exclude_unset=True)
    for name in [name for name in MethodSpec.model_fields if name in given and name != "name"]:
        inside = given[name] if name in (CONFIG, TRAINING) else {}
        yield from (((name, key), value) for key, value in inside.items())
        if not inside:
            yield (name,), given[name]


def _kept(project: Project, subject: Subject, method: MethodSpec) -> Iterator[tuple[str, str]]:
    """The fields that the form leaves out and the base's row gives, which an environment cannot take away."""
    new = _leaves(sections(method))
    for keys, value in _leaves(subject.base).items():
        if keys not in new:
            where = f"method '{method.name}', {', '.join(keys)}: cannot be left out"
            place = f"{project.conf.name}/{project.base}"
            yield _id(keys), f"{where}, since {place} gives {shown(value)}: an environment can only give another value"


def _not_said(
    subject: Subject, method: MethodSpec, values: Mapping[str, Any], changes: Mapping[Keys, Any]
) -> Iterator[tuple[str, str]]:
    """The changed fields that would be read as another value, since maps of both environments become one."""
    own = values.get(METHODS, {}).get(method.name, {})
    merged = soft_merge(_row(subject.base), own)
    new = _leaves(sections(method))
    for keys in changes:
        found: Any = merged
        for key in keys:
            found = found.get(key, _ABSENT) if isinstance(found, Mapping) else _ABSENT
        if keys in new and not _same(found, plain_of(new[keys])):
            where = f"method '{method.name}', {', '.join(keys)}: would be {shown(found)}"
            yield _id(keys), f"{where}, since an environment adds to the keys that are there and takes none away"


def _row(values: Sections) -> dict[str, Any]:
    return {} if values is NOTHING else {**values[ROW], CONFIG: values[CONFIG], TRAINING: values[TRAINING]}


def _same(one: object, other: object) -> bool:
    """Whether two plain values are written alike: 1, 1.0 and true are not."""
    if one in (REMOVED, _ABSENT) or other in (REMOVED, _ABSENT):
        return one in (REMOVED, _ABSENT) and other in (REMOVED, _ABSENT)
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _id(keys: Keys) -> str:
    """Where the page has the field that some keys lead to."""
    return ".".join(keys) if len(keys) > 1 else f"{ROW}.{keys[0]}"
