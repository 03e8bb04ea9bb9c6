"""The board's end of the line to the process that holds its models: started when asked, ended when nobody asks."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from itertools import count
from os import environ
from pathlib import Path
from typing import Any, Final

from peft_pipelines.board.asked import STOP
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import threads
from peft_pipelines.running.worker_process import path

COMMAND: Final = (sys.executable, "-m", "peft_pipelines.board.model_process")
IDLE: Final = 300.0
"""Seconds without a request after which the process ends, and its memory is free."""
MOST_WAITING: Final = 8
PATIENCE: Final = 10.0
"""Seconds for the process to end by itself."""
LONGEST_LINE: Final = 2**26

Event = dict[str, Any]


class ModelLine:
    """Requests to the process, and the events that it tells of each. All is done in the board's event loop.

    Args:
        root: the project's folder.
        idle: seconds without a request after which the process ends.
    """

    def __init__(self, root: Path, idle: float = IDLE) -> None:
        self._root, self._idle = root, idle
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told: dict[int, asyncio.Queue[Event]] = {}
        self._numbers, self._one = count(1), asyncio.Lock()  # one process at a time: none begins before another's end

    @property
    def running(self) -> bool:
        """Whether there is a process, which may hold a model."""
        return self._process is not None

    async def events(self, do: str, env: str, asked: Mapping[str, Any]) -> AsyncIterator[Event]:
        """Yield the events of a request; the last is ``done``. Whoever reads no further has stopped it.

        Args:
            do: what to do, ``ask`` or ``predict``.
            env: the environment whose cells are asked.
            asked: the request's fields.

        Raises:
            ConfigError: too many requests wait.
        """
        if len(self._told) >= MOST_WAITING:
            raise ConfigError(f"{MOST_WAITING} requests wait for the model already; stop one, or try again later")
        number, told = next(self._numbers), asyncio.Queue[Event]()
        self._told[number] = told
        ended = False
        try:
            await self._send({"id": number, "do": do, "env": env, "asked": asked})
            while not ended:
                event = await told.get()
                ended = event["event"] == "done"
                yield event
        finally:
            del self._told[number]
            if not ended:
                self._write({"id": number, "do": STOP})
            self._rest_later()

    async def close(self) -> None:
        """End the process, and wait for it; what is being answered is told so."""
        async with self._one:
            process, self._process = self._process, None
            if process is None or self._reader is None:
                return
            self._fail("The model was released from memory. Ask again.")
            if process.stdin:
                process.stdin.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PATIENCE)
            with suppress(ProcessLookupError):
                process.kill()
            await self._reader

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._timer:
            self._timer.cancel()
        async with self._one:
            if self._process is None or self._process.returncode is not None:
                self._process = await self._started()
                self._reader = asyncio.create_task(self._read(self._process))
        self._write(message)

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            cwd=self._root,
            env={**environ, **threads.environment(), **path()},
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C ends the board, and the board ends the process
        )

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._process and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self, process: Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            event = json.loads(line)
            if told := self._told.get(event.pop("id")):
                told.put_nowait(event)
        code = await process.wait()
        if self._process is process:  # it was not ended by the board
            self._process = None
            self._fail(ended_by(code))

    def _fail(self, message: str) -> None:
        for told in self._told.values():
            told.put_nowait({"event": "failed", "message": message})
            told.put_nowait({"event": "done"})

    def _rest_later(self) -> None:
        """End the process after a while without requests."""
        if self._timer:
            self._timer.cancel()
        if not self._told:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._idle, lambda: loop.create_task(self._rest()))

    async def _rest(self) -> None:
        if not self._told:
            await self.close()


def ended_by(code: int) -> str:
    """Return in words how the process has ended that an answer was expected of.

    >>> ended_by(-9)
    "The model's process was ended by SIGKILL: its memory may have been needed elsewhere. Ask again."
    """
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    if how == "SIGKILL":
        return "The model's process was ended by SIGKILL: its memory may have been needed elsewhere. Ask again."
    return f"The model's process has ended ({how}); the board's log may say why. Ask again."
