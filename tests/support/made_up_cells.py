"""Cells without a model, whose answers a test makes up, behind an endpoint that listens."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import uvicorn

from peft_pipelines.serving.endpoint import endpoint
from peft_pipelines.serving.listening import bound
from peft_pipelines.serving.model_worker import ModelWorker


class MadeUpAnswer(Iterator[str]):
    """Pieces that a function makes of the question."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self.prompt_tokens, self.new_tokens, self.stopped, self.cancelled = 3, 0, True, False
        self._pieces = pieces

    def __next__(self) -> str:
        if self.cancelled:
            raise StopIteration
        self.new_tokens += 1
        return next(self._pieces)


class MadeUpCell:
    """A cell that keeps the answers it was asked for."""

    def __init__(self, name: str, answer: Callable[[str], Iterator[str]]) -> None:
        self.id, self._answer = name, answer
        self.recorded = SimpleNamespace(version="2026-01-31T12.00.00.000Z")
        self.asked: list[tuple[str, MadeUpAnswer]] = []

    def stream(self, turns: list[dict[str, str]], most: int) -> MadeUpAnswer:
        text = turns[-1]["content"]
        answer = MadeUpAnswer(self._answer(text))
        self.asked.append((text, answer))
        return answer


@contextmanager
def listening(*cells: MadeUpCell, **options: Any) -> Iterator[int]:
    """Serve cells in a thread, and yield the port."""
    with bound("127.0.0.1", 0) as sock:
        app = endpoint({cell.id: cell for cell in cells}, ModelWorker(), **options)  # type: ignore[misc]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="critical", ws="none"))
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            wait(lambda: server.started)
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def wait(reached: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a state is reached."""
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, "it was not reached"
        time.sleep(0.02)
