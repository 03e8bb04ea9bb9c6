"""The process that holds the board's models: it takes requests as JSON lines and tells events as JSON lines.

It is a process of its own so that pages stay quick while a model computes, and so that all its memory is free again
once it ends. It ends with its standard input, which is the board's.
"""

import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

from peft_pipelines.board.answering import Event, answers, predictions
from peft_pipelines.board.asked import ASK, STOP, Ask, Predict
from peft_pipelines.board.held_cells import HeldCells
from peft_pipelines.config import parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.running import threads
from peft_pipelines.serving.predict_split import split_of

FIRST_TO_GO: Final = "1000"
"""Where memory runs out, the kernel ends this process and not the board or a run."""

_log = logging.getLogger(__name__)


class Requests:
    """The requests that wait, and those that nobody wants any more; filled by a thread that reads standard input."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines, self._stopped, self._ended = lines, set[int](), False
        self.waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, name="requests", daemon=True).start()

    def stopped(self, number: int) -> bool:
        """Return whether a request was stopped, or the board is gone."""
        return self._ended or number in self._stopped

    def _read(self) -> None:
        for line in self._lines:
            request = json.loads(line)
            if request["do"] == STOP:
                self._stopped.add(request["id"])
            else:
                self.waiting.put(request)
        self._ended = True
        self.waiting.put(None)


def main() -> None:
    """Answer requests until standard input ends. What libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")
    project = Path.cwd()
    bootstrap_project(project)
    requests, held = Requests(sys.stdin.buffer), HeldCells()
    with threads.limited():
        while request := requests.waiting.get():
            for event in told(project, held, requests, request):
                out.write(json.dumps({"id": request["id"], **event}) + "\n")


def told(project: Path, held: HeldCells, requests: Requests, request: dict[str, Any]) -> Iterator[Event]:
    """Yield the events of a request: ``begun``, what it asks for, ``failed`` with a message, and last ``done``."""
    try:
        yield {"event": "begun"}
        with settings.SESSION_CLASS.create(project_path=project, env=request["env"]) as session:
            yield from _events(session.load_context().catalog, held, requests, request)
    except ConfigError as error:
        yield {"event": "failed", "message": str(error)}
    except MemoryError:
        yield {"event": "failed", "message": "There is no memory for this now; ask fewer cells, or try again later."}
    except Exception as error:  # the next request may succeed; the page reads no more than what it was
        _log.exception("request")
        said = f"{type(error).__name__}: {' '.join(str(error).split()):.200}"
        yield {"event": "failed", "message": f"This could not be answered ({said}); the board's log says more."}
    yield {"event": "done"}


def _events(catalog: DataCatalog, held: HeldCells, requests: Requests, request: dict[str, Any]) -> Iterator[Event]:
    def stopped() -> bool:
        return requests.stopped(request["id"])

    if stopped():
        return
    if request["do"] == ASK:
        asked = parse(Ask, "request", request["asked"])
        asked.options.sampling()  # before a model is read
        yield from answers(held.take(catalog, asked.cells), asked, stopped)
        return
    wanted = parse(Predict, "request", request["asked"])
    wanted.options.sampling()
    cell = held.take(catalog, [wanted.cell])[wanted.cell]
    lines = split_of(catalog, cell.recorded, wanted.split, wanted.rows).to_pylist()
    stored = catalog.load(names.artifact(cell.recorded.cell, names.PREDICTIONS)) if wanted.split == "test" else None
    yield from predictions(cell, lines, wanted, (stored or [])[: len(lines)], stopped)


if __name__ == "__main__":
    main()
