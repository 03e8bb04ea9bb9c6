"""``kedro board``: the project in a browser."""

import os
import secrets
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import unchecked
from peft_pipelines.cli.server_options import check_libraries, port_option
from peft_pipelines.files.screen import show, show_line

HOST: Final = "127.0.0.1"
PORT: Final = 8765


@click.command(cls=Command)
@port_option(PORT)
@click.option("--no-open", is_flag=True, help="Print the address only, and open no browser.")
def board(port: int, no_open: bool) -> None:
    """Open the project in a browser of this machine, until Ctrl-C.

    The board writes the same files and starts the same commands as you would; runs that it starts go on without it.
    Only who has the address that is printed, with its token, may use it.

    \b
    kedro board --no-open --port 0
    """
    check_libraries("kedro board")
    from peft_pipelines.board.app import START, Project, serve  # noqa: PLC0415  (only this command needs it)
    from peft_pipelines.serving.listening import bound  # noqa: PLC0415

    root, _ = unchecked(None, {})
    token = secrets.token_urlsafe(32)
    with bound(HOST, port) as sock:
        address = f"http://{HOST}:{sock.getsockname()[1]}{START}?token={token}"
        show(address)
        with _browser(None if no_open else address):
            try:
                serve(Project(root), sock, token)
            except KeyboardInterrupt:
                show_line("ended; runs go on")


@contextmanager
def _browser(address: str | None) -> Iterator[None]:
    """Open an address where there is a screen. Its token is in a file of the user's own, in no list of processes."""
    screen = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if not (address and screen):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        page = Path(folder, "board.html")
        page.write_text(f'<meta http-equiv="refresh" content="0; url={address}">', encoding="utf-8")
        webbrowser.open(page.as_uri())
        yield
