"""The page Run: what a run would take, its start and end, the queue, and all that goes on."""

import shlex
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from peft_pipelines.board import launch, queue_files
from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.events import events
from peft_pipelines.board.grid_form import Draft
from peft_pipelines.board.pages import page
from peft_pipelines.board.planning import Planner
from peft_pipelines.board.project import Project
from peft_pipelines.board.run_state import Followed
from peft_pipelines.config.errors import ConfigError


class Asked(BaseModel):
    """What a button of the page sends: the environment, and how many workers, None for as many as the run takes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    env: str
    workers: Annotated[int, Field(ge=1, le=1000)] | None = None


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes, planner, followed = APIRouter(prefix="/run"), Planner(project), dict[str, Followed]()

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        name = project.environment(env)
        return page("run", project, name, command=f"kedro {shlex.join(launch.command(name))}")

    @routes.get("/events")
    def told(request: Request, env: str) -> StreamingResponse:
        name = project.environment(env)
        seen = followed.setdefault(name, Followed(project, name))
        return events(request, seen.look)

    @routes.post("/plan")
    def plan(asked: Asked) -> dict[str, Any]:
        name = project.environment(asked.env)
        return planner.plan(Draft(name, files_of(project, name).texts, 0))

    @routes.get("/log")
    def log(env: str) -> FileResponse:
        path = launch.log_of(project, project.environment(env))
        return FileResponse(_there(path, env), media_type="text/plain; charset=utf-8")

    _buttons(routes, project)
    return routes


def _buttons(routes: APIRouter, project: Project) -> None:
    """Add the routes that start and end something."""

    @routes.post("/start")
    def start(asked: Asked) -> dict[str, Any]:
        name = project.environment(asked.env)
        grid = rows_of(project, name)
        grid.parameters.check(grid.grid)
        return {"process": launch.start(project, name, asked.workers)}

    @routes.post("/stop")
    def stop(asked: Asked) -> dict[str, Any]:
        return {"told": launch.stop(project, project.environment(asked.env))}

    @routes.post("/queue")
    def queue(asked: Asked) -> dict[str, Any]:
        queue_files.add(project, project.environment(asked.env), asked.workers)
        return {"queue": queue_files.waiting(project)}

    @routes.post("/unqueue")
    def unqueue(asked: Asked) -> dict[str, Any]:
        queue_files.remove(project, asked.env)
        return {"queue": queue_files.waiting(project)}


def _there(path: Path, env: str) -> Path:
    if not path.is_file():
        raise ConfigError(f"'{env}' was never started here, so there is no log")
    return path
