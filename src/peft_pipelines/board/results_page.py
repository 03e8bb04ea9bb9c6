"""The page Results: the report, two runs compared, the details of a cell, and tables to download."""

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from peft_pipelines.board.cell_details import AT_ONCE, cell_details
from peft_pipelines.board.downloads import TABLES, download, there
from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project
from peft_pipelines.board.same_command import compare_command, env_option
from peft_pipelines.board.store_lines import by_model, cell_named, cells_of, runs_of
from peft_pipelines.tracking.compare import Moves, moves, moves_columns, moves_sentences
from peft_pipelines.tracking.runs import Run, find
from peft_pipelines.tracking.store_places import Store

REPORT: Final = "report.html"
INSIDE: Final = {
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""Of the report: its scripts run, but with an origin of their own, so that they reach nothing of the board's."""
SAVED: Final = {"Content-Security-Policy": "sandbox; default-src 'none'"}


def store_of(project: Project, env: str) -> Store:
    """Return the store of an environment."""
    return Store(project.loader(env)["catalog"], project.root)


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter(prefix="/results")

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        env = project.environment(env)
        store = store_of(project, env)
        files = there(store)
        cells = by_model(cells_of(store))
        return page("results", project, env, runs=runs_of(store), cells=cells, files=files, report=REPORT in files)

    @routes.get("/report")
    def report(env: str | None = None) -> Response:
        path = download(store_of(project, project.environment(env)), REPORT)
        return FileResponse(path, media_type=TABLES[REPORT][1], headers=INSIDE)

    @routes.get("/files/{name}")
    def file(name: str, env: str | None = None) -> Response:
        path = download(store_of(project, project.environment(env)), name)
        return FileResponse(path, media_type=TABLES[name][1], headers=SAVED, filename=name)

    @routes.get("/compare")
    def compare(first: str, second: str, env: str | None = None, metrics: str = "") -> HTMLResponse:
        env = project.environment(env)
        store = store_of(project, env)
        runs = find(store.catalog, first), find(store.catalog, second)
        found = moves(*runs, every=metrics == "all")
        command = compare_command(first, second, metrics == "all", env_option(env, project.environments[0]))
        return page("results", project, env, template="compare", command=command, **_compared(found, *runs))

    @routes.get("/cell/{name}")
    def cell(name: str, env: str | None = None, answers: int = 0) -> HTMLResponse:
        env = project.environment(env)
        store = store_of(project, env)
        found = cell_details(store, cell_named(store, name), max(0, answers))
        command = " ".join([found.command, *env_option(env, project.environments[0])])
        return page("results", project, env, template="cell", found=found, command=command, at_once=AT_ONCE)

    return routes


def _compared(found: Moves, first: Run, second: Run) -> dict[str, Any]:
    columns = moves_columns(found)
    return {
        "first": first,
        "second": second,
        "heads": list(columns),
        "lines": list(zip(*columns.values(), strict=True)),
        "sentences": moves_sentences(found, first, second),
    }
