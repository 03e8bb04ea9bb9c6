"""The server of the endpoint: its address, its token, its cells, and its end at a signal."""

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

import uvicorn
from kedro.io import DataCatalog

from peft_pipelines.config import AXES
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.serving.beside import beside_of, recorded_beside
from peft_pipelines.serving.endpoint import endpoint
from peft_pipelines.serving.guard import is_loopback
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import loaded
from peft_pipelines.serving.model_worker import ModelWorker
from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell

TOKEN: Final = "PEFT_SERVE_TOKEN"
SHORTEST: Final = 16
"""Characters of a token."""
LAST_SECONDS: Final = 10
"""For responses to end once a signal has come."""


def token_for(sock: socket.socket) -> tuple[str | None, bool]:
    """Return the token that requests need, and whether it was made just now.

    It is the one in ``PEFT_SERVE_TOKEN``; where there is none, one is made for an address that others can reach.

    Raises:
        ConfigError: the given one is short, or holds what no header can.
    """
    given = os.environ.get(TOKEN)
    if given is None:
        return (None, False) if is_loopback(sock.getsockname()[0]) else (secrets.token_urlsafe(32), True)
    if len(given) < SHORTEST or not given.isascii() or not given.isprintable() or " " in given:
        raise ConfigError(f"{TOKEN}: must be at least {SHORTEST} letters, digits and signs, without blanks")
    return given, False


def load_cells(
    catalog: DataCatalog, words: Sequence[str], beside: Sequence[str], run_id: str | None
) -> dict[str, LoadedCell]:
    """Return cells of one base model by their names, ready to answer.

    Args:
        catalog: that of a session.
        words: each cell as ``METHOD.MODEL.TASK.SEED``; or the four names of one.
        beside: methods whose cells of the first one's other names answer as well, or such cells by their four names.
        run_id: the run as whose version they answer, those of ``beside`` where it has them; None for the version on
            record now.

    Raises:
        ConfigError: a cell is given twice or has another base model, or as for ``load_cell`` and ``recorded_beside``.
    """
    one = len(words) == len(AXES) and not any("." in word for word in words)
    known = catalog.load(names.PARAMETERS)
    cells = [cell_of(group, known) for group in ([words] if one else [[word] for word in words])]
    ids = [*(cell.id for cell in cells), *(beside_of(cells[0], name, known).id for name in beside)]
    if twice := [name for name in ids if ids.count(name) > 1]:
        raise ConfigError(f"cell: must name each once, got '{twice[0]}' twice")
    if other := [cell.id for cell in cells if cell.model != cells[0].model]:
        raise ConfigError(f"cell: all must have the base model of '{ids[0]}', got '{other[0]}'")
    recorded = [recorded_cell(catalog, cell, run_id) for cell in cells]
    recorded += [recorded_beside(catalog, recorded[0], name, run_id) for name in beside]
    return {one.cell.id: loaded(catalog, one) for one in recorded}


def serve(cells: Mapping[str, LoadedCell], sock: socket.socket, token: str | None) -> None:
    """Answer requests until a signal comes.

    Raises:
        KeyboardInterrupt: the signal was that of Ctrl-C; all is closed by then.
    """
    worker = ModelWorker()
    app = endpoint(cells, worker, loopback=is_loopback(sock.getsockname()[0]), token=token)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, ws="none", server_header=False,
        timeout_graceful_shutdown=LAST_SECONDS,
    )  # fmt: skip
    _Server(config, worker).run([sock])


class _Server(uvicorn.Server):
    """A server that ends the answers that are being made when a signal comes, so as not to wait for them."""

    def __init__(self, config: uvicorn.Config, worker: ModelWorker) -> None:
        super().__init__(config)
        self._worker = worker

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._worker.interrupt()
        super().handle_exit(sig, frame)
