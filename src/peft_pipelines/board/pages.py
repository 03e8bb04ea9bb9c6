"""How a page is made: its template with the navigation around it, all text from outside inert."""

from functools import cache
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

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


def words(text: str, status: int) -> HTMLResponse:
    """Return a page that says one thing."""
    around = {"pages": PAGES, "current": "", "environments": [], "env": ""}
    return HTMLResponse(_templates().get_template("words.html").render(around, text=text), status)


@cache
def _templates() -> Environment:
    loader = PackageLoader("peft_pipelines.board")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True)


def _shown(value: Any) -> Any:
    """A text of a page with visible control characters; Jinja escapes the rest of it."""
    return for_terminal(value, keep="\n") if type(value) is str else value
