"""The line to the model's process: events of each request, a stop, an end by itself, and a death."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import fake_model
import psutil
import pytest

from peft_pipelines.board import model_line
from peft_pipelines.board.model_line import Event, ModelLine
from peft_pipelines.config.errors import ConfigError

CELLS = ["lora.tiny.mood.s0"]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_line, "COMMAND", (sys.executable, fake_model.__file__))


def run(tmp_path: Path, test: Callable[[ModelLine], Coroutine[Any, Any, None]], idle: float = 300) -> None:
    async def whole() -> None:
        line = ModelLine(tmp_path, idle)
        try:
            await asyncio.wait_for(test(line), 60)
        finally:
            await line.close()

    asyncio.run(whole())


def asked(line: ModelLine, text: str) -> AsyncIterator[Event]:
    return line.events("ask", "local", {"cells": CELLS, "text": text, "talks": {}})


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if fake_model.__file__ in each.cmdline()]


async def until(reached: Callable[[], bool]) -> None:
    while not reached():
        await asyncio.sleep(0.01)


def test_each_request_gets_its_own_events(tmp_path: Path) -> None:
    async def test(line: ModelLine) -> None:
        async def of(text: str) -> list[Event]:
            return [event async for event in asked(line, text)]

        one, two = await asyncio.gather(of("one"), of("two"))
        for text, events in (("one", one), ("two", two)):
            assert "".join(event["text"] for event in events if event["event"] == "piece") == f"{text}0"
            assert events[0] == {"event": "begun"} and events[-1] == {"event": "done"}
        assert line.running and len(children()) == 1

    run(tmp_path, test)


def test_who_reads_no_further_has_stopped_it(tmp_path: Path) -> None:
    async def test(line: ModelLine) -> None:
        endless = asked(line, "endless")
        async for event in endless:
            if event["event"] == "piece":
                break
        await endless.aclose()  # type: ignore[attr-defined]
        assert [event["event"] async for event in asked(line, "fails")] == ["begun", "failed", "done"]

    run(tmp_path, test)


def test_it_ends_when_nobody_asks_and_begins_anew(tmp_path: Path) -> None:
    async def test(line: ModelLine) -> None:
        assert not line.running
        for _ in range(2):
            assert [event async for event in asked(line, "")][-1] == {"event": "done"}
            await until(lambda: not line.running)

    run(tmp_path, test, idle=0.05)


def test_a_death_is_words_and_the_next_request_begins_anew(tmp_path: Path) -> None:
    async def test(line: ModelLine) -> None:
        events = [event async for event in asked(line, "dies")]
        assert [event["event"] for event in events] == ["begun", "failed", "done"]
        assert events[1]["message"].startswith("The model's process was ended by SIGKILL")
        assert [event async for event in asked(line, "x")][-1] == {"event": "done"}

    run(tmp_path, test)


def test_what_is_released_is_told_so(tmp_path: Path) -> None:
    async def test(line: ModelLine) -> None:
        events = []
        async for event in asked(line, "endless"):
            events.append(event)
            if event["event"] == "piece" and line.running:
                await line.close()
        assert events[-2]["message"] == "The model was released from memory. Ask again." and not line.running

    run(tmp_path, test)


def test_too_many_requests_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_line, "MOST_WAITING", 1)

    async def test(line: ModelLine) -> None:
        endless = asked(line, "endless")
        await anext(endless)
        with pytest.raises(ConfigError, match="1 requests wait for the model already"):
            await anext(asked(line, "x"))
        await endless.aclose()  # type: ignore[attr-defined]

    run(tmp_path, test)
