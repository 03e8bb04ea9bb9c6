"""Server-sent events: a page is told what changes, without asking again and again."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from peft_pipelines.board.refusal_words import REFUSED, in_words

SECONDS: Final = 1.0
"""Between two looks."""
SILENCE: Final = 15.0
"""Seconds without a change until a comment is sent, which shows whether the page is still there."""

_log = logging.getLogger(__name__)


def events(request: Request, look: Callable[[], Any], seconds: float = SECONDS) -> StreamingResponse:
    """Return a response that sends what ``look`` finds whenever it differs from what was sent last, as JSON.

    A look that fails is told as ``{"error": WORDS}``, and the next one follows: what it reads may be mended meanwhile.

    Args:
        request: the page's; the events end with it, and as soon as the board is told to end.
        look: called in a thread, so it may read files.
        seconds: between two looks.
    """
    return StreamingResponse(_told(request, look, seconds), media_type="text/event-stream")


async def _told(request: Request, look: Callable[[], Any], seconds: float) -> AsyncIterator[str]:
    last, silent = "", 0.0
    while not (request.app.state.ending or await request.is_disconnected()):
        found = await run_in_threadpool(_looked, look, last)
        if found != last:
            last, silent = found, 0.0
            yield f"data: {found}\n\n"
        elif silent >= SILENCE:
            silent = 0.0
            yield ":\n\n"
        await asyncio.sleep(seconds)
        silent += seconds


def _looked(look: Callable[[], Any], last: str) -> str:
    """What a look finds, or why it finds nothing, as JSON; what nobody expected goes to the log once."""
    try:
        return json.dumps(look())
    except Exception as error:
        told = json.dumps({"error": in_words(error)})
        if told != last and not isinstance(error, REFUSED):
            _log.exception("events")
        return told
