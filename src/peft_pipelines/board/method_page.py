"""The page Method: the fields of a method's row."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter(prefix="/method")

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        return page("method", project, project.environment(env))

    return routes
