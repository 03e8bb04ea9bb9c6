"""How a page is made: its template with the navigation around it, all text from outside inert."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection

from peft_pipelines.board.project import Project
from peft_pipelines.files.escape import for_terminal

PAGES: Final = {"grid": "Grid", "method": "Method", "run": "Run", "results": "Results", "try": "Try"}
"""The pages by the first part of their path, in the order of the navigation."""
OK: Final = 200


def page(
    name: str, project: Project, env: str, status: int = OK, template: str | None = None, **context: Any
) -> HTMLResponse:
    """Return a page: a template, which extends ``base.html``.

    Args:
        name: one of ``PAGES``.
        project: whose environments may be chosen in the page's head.
        env: the environment that the page is of.
        status: of HTTP.
        template: of ``templates``, without its ending; ``name`` unless given.
        context: what the template shows.
    """
    around = {"pages": PAGES, "current": name, "environments": project.environments, "env": env}
    return HTMLResponse(_templates().get_template(f"{template or name}.html").render(around | context), status)


def said(asked: HTTPConnection, text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that says one thing: as a page, or for a script as JSON, ``{"error": TEXT}``."""
    if "text/html" not in asked.headers.get("accept", ""):
        return JSONResponse({"error": text}, status, headers)
    around = {"pages": PAGES, "current": "", "environments": [], "env": ""}
    return HTMLResponse(_templates().get_template("words.html").render(around, text=text), status, headers)


@cache
def _templates() -> Environment:
    loader = PackageLoader("peft_pipelines.board")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True)


def _shown(value: Any) -> Any:
    """A text of a page with visible control characters; Jinja escapes the rest of it."""
    return for_terminal(value, keep="\n") if type(value) is str else value
