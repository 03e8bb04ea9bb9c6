"""The board's application: a router a page behind the gate, and words instead of stack traces."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from peft_pipelines.board import grid_page, method_page, own_task_page, queue_files, results_page, run_page, try_page
from peft_pipelines.board.admission import HEADERS, SEE_OTHER, START, Gate, SafeHeaders
from peft_pipelines.board.asking import Asking
from peft_pipelines.board.pages import said
from peft_pipelines.board.project import Project
from peft_pipelines.board.refusal_words import REFUSED, in_words
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.screen import show_line
from peft_pipelines.serving.guard import Guard

__all__ = ["START", "Project", "board", "serve"]

WRONG, FAILED = 422, 500
TURN: Final = 2.0
"""Seconds between two looks at the queue."""
LAST_SECONDS: Final = 3
"""For responses to end once a signal has come."""
ROUTERS: Final = (
    grid_page.router,
    own_task_page.router,
    method_page.router,
    run_page.router,
    results_page.router,
    try_page.router,
)
REPORT_STYLE: Final = "/static/page.css"
"""The style that the report and the board share."""


def board(project: Project, token: str) -> FastAPI:
    """Return the application.

    Args:
        project: the project that it shows and writes.
        token: what the address that opens it must hold.
    """
    app = FastAPI(openapi_url=None, lifespan=lambda _: _queue(project))
    app.state.ending, app.state.project = False, project
    app.add_middleware(Gate, token=token)
    app.add_middleware(Guard, loopback=True, token=None)
    app.add_middleware(SafeHeaders)
    for kind in (*REFUSED, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(Exception, _failed)
    for router in ROUTERS:
        app.include_router(router(project))

    @app.get("/")
    def start() -> Response:
        return RedirectResponse("/grid", SEE_OTHER)

    @app.get(REPORT_STYLE)
    def style() -> Response:
        text = files("peft_pipelines.reporting").joinpath("page", "page.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css")

    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    return app


@asynccontextmanager
async def _queue(project: Project) -> AsyncIterator[None]:
    """Start what waits in the queue, as long as the board is open."""

    async def turns() -> None:
        told = ""
        while True:
            try:
                await run_in_threadpool(queue_files.turn, project)
            except (OSError, ValueError, KeyError, TypeError) as error:  # a file that cannot be read stops the queue
                line = f"the queue stands still: {type(error).__name__}: {error}"
                if line != told:
                    show_line(line)
                told = line
            await asyncio.sleep(TURN)

    task = asyncio.create_task(turns())
    yield
    task.cancel()


def serve(project: Project, sock: socket.socket, token: str) -> None:
    """Show a project until a signal comes.

    Args:
        project: the project.
        sock: bound to a loopback address.
        token: what the address that opens the board must hold.

    Raises:
        KeyboardInterrupt: the signal was that of Ctrl-C; all is closed by then.
    """
    app = board(project, token)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, ws="none", server_header=False,
        timeout_graceful_shutdown=LAST_SECONDS,
    )  # fmt: skip
    _Server(config, app).run([sock])


class _Server(uvicorn.Server):
    """A server that tells the application when a signal has come: events would go on for ever."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._app.state.ending = True
        Asking.end_all(self._app.state.project.root)
        super().handle_exit(sig, frame)


async def _refused(request: Request, error: Exception) -> Response:
    """A mistake, or a file that cannot be read, in words."""
    if isinstance(error, HTTPException):
        return said(request, str(error.detail), error.status_code, error.headers)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return said(request, for_terminal(f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"), WRONG)
    return said(request, in_words(error), WRONG)


async def _failed(request: Request, error: Exception) -> Response:
    """An error that nobody expected, whose traceback goes to the log; no other part of the board sees this response."""
    return said(request, in_words(error), FAILED, HEADERS)
