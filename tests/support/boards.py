"""A board on a free port over a scratch project, and a page of it in Chromium."""

import http.client
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from browser import Browser, browser
from fastapi import FastAPI
from kedro.framework.startup import bootstrap_project
from light import PROJECT

from peft_pipelines.board.app import START, Project, board
from peft_pipelines.board.asking import Asking
from peft_pipelines.serving.listening import bound

TOKEN = "a-token-of-some-length"
SECONDS = 60
PATIENCE = 300
"""Seconds for what other processes do, on a busy machine."""


@dataclass
class Board:
    """A board that listens.

    Attributes:
        root: the folder of its project.
        port: where it listens.
        app: the application.
        cookie: of who has opened it.
    """

    root: Path
    port: int
    app: FastAPI
    cookie: str = field(default="")

    @property
    def address(self) -> str:
        """Of its pages, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def start(self) -> str:
        """The path and the token that open it."""
        return f"{START}?token={TOKEN}"

    def sent(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Return status, body and headers of the answer to a request with the cookie; a header of "" is left out."""
        own = {"Cookie": self.cookie, "Origin": self.address if method == "POST" else "", "Accept": "application/json"}
        given = {name: value for name, value in (own | headers).items() if value}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


def scratch_project(folder: Path) -> Path:
    """Copy the project's configuration and methods into a folder, without a model."""
    for name in ("conf", "methods"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    (folder / "src").mkdir()  # kedro looks for it; the code under test is imported already
    return folder


@contextmanager
def shown(root: Path) -> Iterator[Board]:
    """Show a project in this process, as long as the block lasts."""
    bootstrap_project(root)
    with bound("127.0.0.1", 0) as sock:
        app = board(Project(root), TOKEN)
        found = Board(root, sock.getsockname()[1], app)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            until = time.monotonic() + SECONDS
            while not server.started:
                assert thread.is_alive() and time.monotonic() < until
                time.sleep(0.02)
            _, _, headers = found.sent("GET", found.start)
            found.cookie = headers["set-cookie"].partition(";")[0]
            yield found
        finally:
            app.state.ending = server.should_exit = True
            Asking.end_all(root)
            thread.join(SECONDS)


@pytest.fixture(scope="module")
def scratch_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board over a project that has run nothing."""
    with shown(scratch_project(tmp_path_factory.mktemp("project"))) as found:
        yield found


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def waited(look: Callable[[], Any]) -> Any:
    """What a look finds as soon as it finds anything."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def opened(chromium: Browser, board: Board, path: str) -> Browser:
    """The browser, let in by the token, with a page of the board in it."""
    chromium.open(board.address + board.start)
    chromium.open(board.address + path)
    return chromium


def listened(page: Browser) -> None:
    """Keep the lines that the page says from now on, in ``heard``: each is gone after some seconds."""
    page.value("heard = [], place = document.getElementById('said'), 0")
    page.value("new MutationObserver(() => heard.push(place.textContent)).observe(place, {childList: true})")


def said(start: str) -> str:
    """The expression that is true once a line with this start was heard."""
    return f"heard.some((line) => line.startsWith({start!r}))"
