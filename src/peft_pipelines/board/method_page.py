"""The page Method: a method's row as a form, a row to be made of any type, and what is written of it."""

import shlex
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from peft_pipelines.board import method_fields, written
from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.grid_page import methods_by_family
from peft_pipelines.board.known_types import types_of
from peft_pipelines.board.method_draft import Made, checked, draft
from peft_pipelines.board.method_form import TYPE, MethodForm, Wrong, subject_of
from peft_pipelines.board.method_subject import Subject, copied, of_row, of_type
from peft_pipelines.board.method_trial import place_of, tried_on
from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project
from peft_pipelines.board.same_command import env_option
from peft_pipelines.board.shipped_environments import own_name
from peft_pipelines.config.errors import ConfigError


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter(prefix="/method")

    @routes.get("")
    def show(
        env: str | None = None, row: str = "", provider: str = "", type: str = "", copy: bool = False
    ) -> HTMLResponse:
        name = project.environment(env)
        if not (row or type):
            return page("method", project, name, families=methods_by_family(rows_of(project, name)))
        subject = of_row(project, name, row) if row else of_type(project, name, provider, type)
        return page("method", project, name, template="method_row", **_shown(project, name, subject, copy=copy))

    @routes.get("/types")
    def types(env: str) -> dict[str, Any]:
        return {"types": _listed(project, rows_of(project, project.environment(env)))}

    @routes.post("/preview")
    def preview(form: MethodForm) -> dict[str, Any]:
        made, wrong = draft(project, _of_known(project, form))
        return {"wrong": wrong, **(_told(project, made) if made else {})}

    @routes.post("/save")
    def save(form: MethodForm) -> dict[str, Any]:
        return _saved(project, _of_known(project, form))

    return routes


def _listed(project: Project, rows: Rows) -> list[dict[str, Any]]:
    """All types, each with the rows that name it."""
    named = [((row.provider, row.type), name) for name, row in rows.parameters.methods.items()]
    return [
        {
            "provider": one.provider,
            "type": one.type,
            "family": one.family,
            "note": one.note,
            "rows": [name for key, name in named if key == (one.provider, one.type)],
        }
        for one in types_of(project, rows).values()
    ]


def _saved(project: Project, form: MethodForm) -> dict[str, Any]:
    """Write what a form stands for, unless anything is wrong with it; return what the page says of that."""
    made, wrong = draft(project, form)
    if made is None:
        return {"wrong": wrong}
    checked(project, made)
    models, wrong = _tried(project, form, made)
    if wrong:
        return {"wrong": wrong}
    files, name = written.write_seen(project, made.draft, form.env, form.seen), made.draft.name
    done = {"env": name, "row": made.method.name, "files": files, "seen": files_of(project, name).seen, "tried": models}
    return {"wrong": {}, **done}


def _of_known(project: Project, form: MethodForm) -> MethodForm:
    """A form of an environment that is there.

    Raises:
        ConfigError: there is no such environment.
    """
    project.environment(form.env)
    return form


def _tried(project: Project, form: MethodForm, made: Made) -> tuple[list[str], Wrong]:
    """The models that the row was tried on, or what one of them refuses, at its field."""
    try:
        return tried_on(project, form.env, rows_of(project, form.env), made.method), {}
    except ConfigError as error:
        return [], {place_of(str(error), subject_of(project, form)): str(error)}


def _told(project: Project, made: Made) -> dict[str, Any]:
    """What the page shows of a draft."""
    folder = f"{project.conf.name}/{made.draft.name}"
    return {
        "changed": made.changed,
        "files": {f"{folder}/{name}": text for name, text in made.draft.texts.items()},
        "command": _command(project, made.draft.name, ["kedro", "methods", made.method.name]),
        "method": made.method.model_dump(mode="json"),
    }


def _command(project: Project, env: str, words: list[str]) -> str:
    return shlex.join([*words, *env_option(env, project.environments[0])])


def _shown(project: Project, env: str, subject: Subject, *, copy: bool) -> dict[str, Any]:
    begun = copied(subject) if copy else subject
    rows, files = rows_of(project, env), files_of(project, env)
    return {
        "subject": begun,
        "of": subject.name if copy else "",
        "refused": f"type {subject.type} is not for a row: {subject.note}" if subject.note else "",
        "in_grid": begun.name in rows.grid.methods,
        "fields": method_fields.shown(begun),
        "command": _command(project, env, subject.command),
        "files": files.texts,
        "folder": files.folder,
        "base": f"{project.conf.name}/{project.base}",
        "seen": files.seen,
        "own_name": own_name(project, env),
        "type_key": TYPE,
    }
