"""The page Run: what is under way."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter(prefix="/run")

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        return page("run", project, project.environment(env))

    return routes
