"""The worker's end of the line to its run: what it hears, says, shows, prints and logs goes through it."""

import logging
import logging.handlers
import os
import signal
from collections.abc import Mapping
from io import TextIOBase
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any

from peft_pipelines.running.channel import Logged, Message, Noted, Shown
from peft_pipelines.running.display import Lines
from peft_pipelines.running.interruption import Stopped

MOMENT = 0.1
"""Seconds between two steps of a phase that the run is told of."""


class Line:
    """The worker's end of the line to its run."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, Lock()
        self._heard: SimpleQueue[Any] = SimpleQueue()
        Thread(target=self._listen, name="run", daemon=True).start()

    def send(self, message: Message) -> None:
        """Tell the run something; Stopped is raised where it is gone."""
        with self._lock:
            try:
                self._connection.send(message)
            except OSError:
                raise Stopped(signal.SIGTERM) from None

    def hear(self) -> Any:
        """Wait for what the run says next; None for the end."""
        heard = self._heard.get()
        if isinstance(heard, Exception):
            raise heard
        return heard

    def _listen(self) -> None:
        heard: Any = self
        while heard is not None:
            try:
                heard = self._connection.recv()
            except (EOFError, OSError):  # the run is gone, in whatever way: what is under way must not go on
                os.kill(os.getpid(), signal.SIGTERM)
                return
            except Exception as error:  # what cannot be read here belongs into the run's report
                heard = error
            self._heard.put(heard)


class Relay(Lines):
    """A display that hands all on to the run's."""

    def __init__(self, line: Line) -> None:
        super().__init__(self.note)
        self._line, self._last = line, 0.0

    def begin(self, title: str, place: int = 0) -> None:
        self._line.send(Shown("begin", (title,)))

    def phase(self, name: str, place: int = 0) -> None:
        self._line.send(Shown("phase", (name,)))

    def step(self, phase: str, done: int, total: int, place: int = 0) -> None:
        if done == total or monotonic() - self._last > MOMENT:
            self._last = monotonic()
            self._line.send(Shown("step", (phase, done, total)))

    def log(self, phase: str, entry: Mapping[str, float], place: int = 0) -> None:
        self._line.send(Shown("log", (phase, dict(entry))))

    def note(self, line: str) -> None:
        self._line.send(Noted(line))


class Printed(TextIOBase):
    """What is printed, line by line handed on: the screen is the run's."""

    def __init__(self, shown: Lines) -> None:
        self._shown, self._rest = shown, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._shown.note(line)
        return len(text)


class Log(logging.handlers.QueueHandler):
    """Hands the log's records on."""

    def __init__(self, line: Line) -> None:
        super().__init__(SimpleQueue())
        self._line = line

    def enqueue(self, record: logging.LogRecord) -> None:
        self._line.send(Logged(record))
