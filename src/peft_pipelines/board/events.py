"""Server-sent events: a page is told what changes, without asking again and again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

SECONDS: Final = 1.0
"""Between two looks."""
SILENCE: Final = 15.0
"""Seconds without a change until a comment is sent, which shows whether the page is still there."""


def events(request: Request, look: Callable[[], Any], seconds: float = SECONDS) -> StreamingResponse:
    """Return a response that sends what ``look`` finds whenever it differs from what was sent last, as JSON.

    Args:
        request: the page's; the events end with it, and as soon as the board is told to end.
        look: called in a thread, so it may read files.
        seconds: between two looks.
    """
    return StreamingResponse(_told(request, look, seconds), media_type="text/event-stream")


async def _told(request: Request, look: Callable[[], Any], seconds: float) -> AsyncIterator[str]:
    last, silent = None, 0.0
    while not (request.app.state.ending or await request.is_disconnected()):
        found = json.dumps(await run_in_threadpool(look))
        if found != last:
            last, silent = found, 0.0
            yield f"data: {found}\n\n"
        elif silent >= SILENCE:
            silent = 0.0
            yield ":\n\n"
        await asyncio.sleep(seconds)
        silent += seconds
