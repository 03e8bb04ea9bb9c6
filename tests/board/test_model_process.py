"""The process that holds models, with a tiny model: answers as they are on record, one base, and mistakes in words."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from catalogs import catalog_of, stored
from project import Project, project
from recorded import LORA, ZERO, original, recorded

from peft_pipelines.board.held_cells import HeldCells
from peft_pipelines.board.model_line import ModelLine
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.models import base_model

__all__ = ["original", "project", "recorded"]


def test_it_answers_and_predicts_as_the_cells_were_scored(recorded: Project) -> None:
    recorded.write("local")

    async def told(line: ModelLine, do: str, **asked: Any) -> list[dict[str, Any]]:
        return [event async for event in line.events(do, "local", asked)]

    async def whole() -> None:
        line = ModelLine(Path.cwd())
        found = await told(line, "ask", cells=[LORA, "zero_shot"], text="line 0")
        for cell, name in ((LORA, LORA), ("zero_shot", ZERO)):
            said = "".join(event["text"] for event in found if event["event"] == "piece" and event["cell"] == cell)
            assert said == for_terminal(stored(name)[0]["prediction"], keep="\n\t")
        prompts = [event["text"] for event in found if event["event"] == "prompt"]
        assert prompts == ["<|im_start|>user\nGood or bad?\n\nSentence: line 0<|im_end|>\n<|im_start|>assistant\n"] * 2
        (scores,) = [one for one in await told(line, "predict", cell=LORA, split="test", rows=4) if "table" in one]
        assert scores["table"] and all(chosen == recorded for _, chosen, recorded in scores["table"])
        assert [row["said"] for row in scores["answers"]] == [
            for_terminal(row["prediction"], keep="\n\t") for row in stored(LORA)
        ]
        nobody = await told(line, "ask", cells=["nobody.tiny.mood.s0"], text="x")
        assert [event["event"] for event in nobody] == ["begun", "failed", "done"]
        assert nobody[1]["message"].startswith("cell: unknown method 'nobody'")
        await line.close()

    asyncio.run(whole())


def test_only_what_is_asked_is_held(recorded: Project) -> None:
    base_model._resident.clear()
    with catalog_of(recorded) as catalog:
        held = HeldCells()
        both = held.take(catalog, [LORA, ZERO])
        assert both[LORA].answerer.base is both[ZERO].answerer.base
        again = held.take(catalog, [LORA, "zero_shot"])
        assert again[LORA] is both[LORA] and len(held._cells) == 2
        assert list(held.take(catalog, [ZERO])) == [ZERO] and len(held._cells) == 1
        for wanted, words in {
            ("nobody.tiny.mood.s0",): "unknown method 'nobody'",
            (LORA, "nobody"): "unknown method 'nobody'",
            (LORA, LORA): "must be another cell",
            ("lora",): "must be METHOD MODEL TASK SEED",
        }.items():
            with pytest.raises(ConfigError, match=words):
                held.take(catalog, wanted)


def test_a_full_memory_is_words(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Full", (), {"available": 10})
    monkeypatch.setattr("psutil.virtual_memory", lambda: full)
    with catalog_of(recorded) as catalog, pytest.raises(ConfigError, match=r"0\.0 GB of memory are free now"):
        HeldCells().take(catalog, [LORA])
