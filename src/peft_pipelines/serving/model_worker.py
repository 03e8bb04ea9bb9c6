"""The one thread that asks the cells: requests wait in a queue and are answered one at a time, in their order."""

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator
from typing import Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import threads
from peft_pipelines.serving.answer import Answer
from peft_pipelines.serving.api_error import ApiError
from peft_pipelines.serving.chat_request import ChatRequest
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.replies import Ended
from peft_pipelines.serving.stop_strings import StopStrings

MOST_WAITING: Final = 256
"""Requests that may wait; the next one is refused."""
BAD, FULL, FAILED, CLOSING = 400, 429, 500, 503

_log = logging.getLogger(__name__)


class Job:
    """A request that waits for the model or has it. Made and read in the event loop, answered by the worker.

    Args:
        request: the request.
        cell: the cell that it names.
    """

    def __init__(self, request: ChatRequest, cell: LoadedCell) -> None:
        self.request, self.cell = request, cell
        self.ended: Ended | None = None
        self.cancelled = False
        self._answer: Answer | None = None
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[str | Ended | ApiError] = asyncio.Queue()

    def cancel(self) -> None:
        """End the answer before its next token; nobody wants it any more. Any thread may do so."""
        self.cancelled = True
        if self._answer:
            self._answer.cancelled = True

    def begin(self, answer: Answer) -> None:
        """Hold the answer that has begun."""
        self._answer = answer
        if self.cancelled:  # never set back: a cancel may come between these lines
            answer.cancelled = True

    def tell(self, event: str | Ended | ApiError) -> None:
        """Hand something to the event loop; it is lost where the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._said.put_nowait, event)

    async def said(self) -> AsyncIterator[str]:
        """Yield an empty text once the answer has begun, then its pieces; ``ended`` is set at its end.

        Raises:
            ApiError: the request cannot be answered.
        """
        while not isinstance(event := await self._said.get(), Ended):
            if isinstance(event, ApiError):
                raise event
            yield event
        self.ended = event


class ModelWorker:
    """The thread and its queue."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._now: Job | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a job behind those that wait.

        Raises:
            ApiError: too many wait.
        """
        if self._waiting.qsize() >= MOST_WAITING:
            raise ApiError(FULL, f"{MOST_WAITING} requests wait already; try again later", "too_many_requests")
        self._waiting.put(job)

    def interrupt(self) -> None:
        """Refuse what waits and end what is being answered. It takes no lock, so that a handler of signals may."""
        self._closing = True
        if now := self._now:
            now.cancel()

    def close(self) -> None:
        """Interrupt, and wait for the thread."""
        self.interrupt()
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        with threads.limited():
            while job := self._waiting.get():
                self._now = job
                job.tell(self._outcome(job))
                self._now = None

    def _outcome(self, job: Job) -> Ended | ApiError:
        try:
            ended = None if self._closing or job.cancelled else _answered(job)
        except ConfigError as error:
            return ApiError(BAD, str(error), param="messages")
        except Exception:  # the next request may succeed; this client reads no more than that it is not its fault
            _log.exception("request for %s", job.cell.id)
            return ApiError(FAILED, "the request could not be answered; the server's log says why", "failed")
        if ended is None or self._closing:
            return ApiError(CLOSING, "the server is ending", "closing")
        return ended


def _answered(job: Job) -> Ended:
    """Answer a request, handing on its pieces."""
    answer = job.cell.stream(job.request.turns, job.request.most_tokens)
    job.begin(answer)
    job.tell("")
    cut = StopStrings(job.request.stop)
    for piece in answer:
        if text := cut.let_through(piece):
            job.tell(text)
        if cut.met:
            break
    if rest := cut.rest():
        job.tell(rest)
    reason = "stop" if cut.met or answer.stopped else "length"
    return Ended(answer.prompt_tokens, answer.new_tokens, reason)
