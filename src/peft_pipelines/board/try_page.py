"""The page Try: questions to tuned models side by side, and predictions on a split with chosen decoding values."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from peft_pipelines.board.asked import ASK, MOST_CELLS, MOST_ROWS, MOST_TOKENS, PREDICT, Ask, Predict
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.model_line import ModelLine
from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project
from peft_pipelines.board.results_page import store_of
from peft_pipelines.board.same_command import chat_commands, env_option, predict_command
from peft_pipelines.board.store_lines import by_model, cells_of
from peft_pipelines.config import parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.strict_json import each_once, no_number

MOST_BYTES: Final = 2**21
"""Of a request's body: a long conversation with each of the cells."""
LIMITS: Final[dict[str, Any]] = {"most_cells": MOST_CELLS, "most_rows": MOST_ROWS, "most_tokens": MOST_TOKENS}


def router(project: Project) -> APIRouter:
    """Return the routes of the page; the model's process ends with the application."""
    line = ModelLine(project.root)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await line.close()

    routes = APIRouter(prefix="/try", lifespan=lifespan)

    @routes.get("")
    def show(env: str | None = None, cell: str = "") -> HTMLResponse:
        env = project.environment(env)
        found = cells_of(store_of(project, env))
        known = {each.cell.id: each for each in found if each.answers}
        untuned = _untuned(project, env)
        first = cell if cell in known else next(iter(known), "")
        silent = [each for each in found if not each.answers]
        shown: dict[str, Any] = {
            "cells": by_model(known.values()),
            "first": first,
            "untuned": untuned,
            "silent": silent,
        }
        return page("try", project, env, **shown, **LIMITS)

    @routes.get("/model")
    async def model() -> dict[str, bool]:
        return {"running": line.running}

    @routes.post("/release")
    async def release() -> dict[str, bool]:
        await line.close()
        return {"running": line.running}

    _add_questions(routes, project, line)
    return routes


def _add_questions(routes: APIRouter, project: Project, line: ModelLine) -> None:
    """Add the routes that the model's process answers."""

    @routes.post("/ask")
    async def ask(request: Request, env: str | None = None) -> StreamingResponse:
        env, values = project.environment(env), await _body(request)
        asked = parse(Ask, "request", values)
        asked.options.sampling()
        commands = chat_commands(asked, env_option(env, project.environments[0]))
        return _streamed(line, ASK, env, asked, commands)

    @routes.post("/predict")
    async def predict(request: Request, env: str | None = None) -> StreamingResponse:
        env, values = project.environment(env), await _body(request)
        asked = parse(Predict, "request", values)
        asked.options.sampling()
        command = predict_command(asked, env_option(env, project.environments[0]))
        return _streamed(line, PREDICT, env, asked, [command])


def _untuned(project: Project, env: str) -> list[str]:
    """The methods that are the base model as it is: they answer without a cell on record."""
    methods = rows_of(project, env).parameters.methods
    return [name for name, row in methods.items() if row.is_base_model]


def _streamed(line: ModelLine, do: str, env: str, asked: Ask | Predict, commands: list[str]) -> StreamingResponse:
    """The events of a request as server-sent events; the first tells the commands that do the same."""

    async def events() -> AsyncIterator[str]:
        yield _event({"event": "commands", "lines": commands})
        try:
            async for event in line.events(do, env, asked.model_dump(mode="json")):
                yield _event(event)
        except ConfigError as error:
            yield _event({"event": "failed", "message": str(error)})
            yield _event({"event": "done"})

    return StreamingResponse(events(), media_type="text/event-stream")


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise ConfigError(f"request: must have at most {MOST_BYTES} bytes")
        parts.append(part)
    return await run_in_threadpool(_object, b"".join(parts))


def _object(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body, object_pairs_hook=each_once, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"request: must be JSON: {error!s:.200}") from None
    if not isinstance(values, dict):
        raise ConfigError("request: must be a JSON object")
    return values
