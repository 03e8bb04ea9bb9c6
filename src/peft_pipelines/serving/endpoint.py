"""The endpoint that OpenAI's clients know: chat completions of several cells on one base, whole or as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from peft_pipelines.config.errors import unknown
from peft_pipelines.serving.api_error import ApiError
from peft_pipelines.serving.chat_request import chat_request
from peft_pipelines.serving.guard import HEALTH, Guard, response_of
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.model_worker import Job, ModelWorker
from peft_pipelines.serving.replies import Reply, model_entry

NOT_FOUND, TIMEOUT, TOO_LARGE, FAILED = 404, 408, 413, 500
MOST_BYTES: Final = 2**20
"""Of a request's body."""
READ_ON: Final = 16 * MOST_BYTES
"""Of a larger one as much is read and dropped, since a client that is still sending does not see a refusal."""
SECONDS: Final = 60
"""For a body to arrive."""


def endpoint(
    cells: Mapping[str, LoadedCell], worker: ModelWorker, *, loopback: bool = True, token: str | None = None
) -> FastAPI:
    """Return the application.

    Args:
        cells: the cells by their names.
        worker: the thread that asks them; it starts and ends with the application.
        loopback: whether it listens on a loopback address; requests must then name one as their host.
        token: the bearer token that each request must have; None for none.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.add_middleware(Guard, loopback=loopback, token=token)
    for kind in (ApiError, HTTPException, Exception):
        app.add_exception_handler(kind, lambda _, error: response_of(_of(error)))

    @app.get(HEALTH)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [model_entry(cell) for cell in cells.values()]}

    @app.get("/v1/models/{name}")
    async def model(name: str) -> dict[str, Any]:
        return model_entry(_cell(cells, name))

    @app.post("/v1/chat/completions")
    async def completions(request: Request) -> Response:
        asked = chat_request(await _body(request))
        job = Job(asked, _cell(cells, asked.model))
        worker.submit(job)
        return await _response(request, job)

    return app


async def _response(request: Request, job: Job) -> Response:
    """The answer to a job, once it is complete; of a stream, once it has begun."""
    with _cancelled_with(request, job):
        pieces = job.said()
        await anext(pieces)
        if job.request.stream:
            return _Stream(job, pieces)
        text = "".join([piece async for piece in pieces])
        assert job.ended
        return JSONResponse(Reply(job.cell).whole(text, job.ended))


def _of(error: Exception) -> ApiError:
    """An exception as the client is told of it."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        return ApiError(error.status_code, f"{error.detail}; the paths are /v1/chat/completions, /v1/models, {HEALTH}")
    return ApiError(FAILED, "the request could not be answered; the server's log says why", "failed")


def _cell(cells: Mapping[str, LoadedCell], name: str) -> LoadedCell:
    if name not in cells:
        raise ApiError(NOT_FOUND, str(unknown("request", "model", name, cells)), "model_not_found", "model")
    return cells[name]


async def _body(request: Request) -> bytes:
    """A request's body, if it is not too large and does not come too slowly."""
    size, parts = 0, []
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                size += len(part)
                if size <= MOST_BYTES:
                    parts.append(part)
                elif size > READ_ON:
                    break
    except TimeoutError:
        raise ApiError(TIMEOUT, f"the body did not arrive within {SECONDS} seconds", "timeout") from None
    if size > MOST_BYTES:
        raise ApiError(TOO_LARGE, f"the body must have at most {MOST_BYTES} bytes", "body_too_large")
    return b"".join(parts)


@contextmanager
def _cancelled_with(request: Request, job: Job) -> Iterator[None]:
    """Cancel a job when its client goes away, or the block fails."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        job.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except BaseException:
        job.cancel()
        raise
    finally:
        watcher.cancel()


class _Stream(StreamingResponse):
    """An answer as server-sent events. The job ends with the response, however that ends."""

    def __init__(self, job: Job, pieces: AsyncIterator[str]) -> None:
        super().__init__(_events(job, pieces), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        self._job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._job.cancel()


async def _events(job: Job, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Each piece of an answer as an event; an error that comes too late for a status is one as well."""
    reply = Reply(job.cell)
    try:
        yield _event(reply.chunk({"role": "assistant", "content": ""}))
        async for piece in pieces:
            yield _event(reply.chunk({"content": piece}))
    except ApiError as error:
        yield _event(error.body())
        return
    assert job.ended
    yield _event(reply.chunk({}, job.ended.finish_reason))
    options = job.request.stream_options
    if options and options.include_usage:
        yield _event(reply.usage(job.ended))
    yield "data: [DONE]\n\n"


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
