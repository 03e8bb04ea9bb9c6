"""The page Grid: which methods, models, tasks and seeds meet, how they are trained, and what that would take."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from peft_pipelines.board import written
from peft_pipelines.board.data_facts import facts
from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.grid_form import Draft, GridForm, as_typed, draft
from peft_pipelines.board.pages import page
from peft_pipelines.board.planning import Planner
from peft_pipelines.board.project import Project
from peft_pipelines.board.shipped_environments import own_name
from peft_pipelines.config import ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods.installed import is_installed

Choice = dict[str, Any]
WORDS: Final = {"soft_prompt": "soft prompt"}
BASELINES: Final = "baseline"


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes, planner = APIRouter(prefix="/grid"), Planner(project)

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        name = project.environment(env)
        return page("grid", project, name, **_shown(project, name))

    @routes.post("/preview")
    def preview(form: GridForm) -> dict[str, Any]:
        found, wrong = draft(project, form)
        return {"wrong": wrong, **(_told(project, found) if found else {})}

    @routes.post("/plan")
    def plan(form: GridForm) -> dict[str, Any]:
        found, wrong = draft(project, form)
        if found is None:
            raise ConfigError(next(iter(wrong.values())))
        return planner.plan(found)

    @routes.post("/save")
    def save(form: GridForm) -> dict[str, Any]:
        found, wrong = draft(project, form)
        if found is None:
            raise ConfigError(next(iter(wrong.values())))
        written.check(project, found)
        files = written.write_seen(project, found, form.env, form.seen)
        return {"env": found.name, "files": files, "seen": files_of(project, found.name).seen}

    return routes


def _told(project: Project, found: Draft) -> dict[str, Any]:
    """What the page shows of a draft."""
    folder = f"{project.conf.name}/{found.name}"
    return {
        "cells": found.cells,
        "files": {f"{folder}/{name}": text for name, text in found.texts.items()},
        "command": f"kedro run --env={found.name}",
    }


def _shown(project: Project, env: str) -> dict[str, Any]:
    rows, files = rows_of(project, env), files_of(project, env)
    return {
        "models": [_model(name, row, rows) for name, row in rows.parameters.models.items()],
        "tasks": _grouped(rows.parameters.tasks, lambda row: row.type, lambda name, row: _task(name, row, rows)),
        "methods": methods_by_family(rows),
        "seeds": [
            {"name": name, "chosen": name in rows.grid.seeds, "facts": str(value)}
            for name, value in rows.parameters.seeds.items()
        ],
        "factors": ", ".join(as_typed(factor) for factor in rows.grid.lr_search.factors),
        "training": [
            {
                "name": name,
                "text": as_typed(value),
                "help": TrainingSpec.model_fields[name].description,
            }
            for name, value in rows.parameters.training.model_dump(mode="json").items()
        ],
        "files": files.texts,
        "seen": files.seen,
        "own_name": own_name(project, env),
    }


def _grouped(rows: Mapping[str, Any], key: Any, choice: Any) -> dict[str, list[Choice]]:
    groups: dict[str, list[Choice]] = {}
    for name, row in rows.items():
        groups.setdefault(key(row), []).append(choice(name, row))
    return dict(sorted(groups.items()))


def methods_by_family(rows: Rows) -> dict[str, list[Choice]]:
    """Return the methods by family, the baselines first, each as what can be chosen."""
    found = _grouped(rows.parameters.methods, lambda row: row.family, lambda name, row: _method(name, row, rows))
    order = sorted(found, key=lambda family: (family != BASELINES, family))
    return {WORDS.get(family, family): found[family] for family in order}


def _method(name: str, row: Any, rows: Rows) -> Choice:
    lacking = "" if is_installed(row.provider) else f"needs the library {row.provider}, which is not installed"
    facts = f"{row.type}, {row.citation}" if row.trains else row.citation
    return {"name": name, "chosen": name in rows.grid.methods, "facts": facts, "lacking": lacking, "notes": row.notes}


def _task(name: str, row: TaskSpec, rows: Rows) -> Choice:
    answer = f"{len(row.label_words)} labels" if row.label_words else "free text"
    said = f"{answer}, scored by {row.primary}; {facts(row, rows.raw[name])}; licence: {row.licence}"
    return {"name": name, "chosen": name in rows.grid.tasks, "facts": said, "lacking": "", "notes": row.notes}


def _model(name: str, row: ModelSpec, rows: Rows) -> Choice:
    facts = f"{row.dtype}; licence: {row.licence}"
    return {"name": name, "chosen": name in rows.grid.models, "facts": facts, "lacking": "", "notes": row.notes}
