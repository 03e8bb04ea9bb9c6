"""The page Grid: which methods, models, tasks and seeds meet."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter(prefix="/grid")

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        return page("grid", project, project.environment(env))

    return routes
