"""What may be asked for on the page Try, and the commands that do the same."""

from typing import Any

import click
import pytest

from peft_pipelines.board.asked import Ask, Options, Predict
from peft_pipelines.board.same_command import chat_commands, predict_command
from peft_pipelines.cli.chat_command import chat
from peft_pipelines.cli.predict_command import predict
from peft_pipelines.config import parse
from peft_pipelines.config.errors import ConfigError

CELL = "lora.tiny.mood.s0"
GOOD: dict[str, Any] = {"cells": [CELL], "text": "?"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cells": []}, "cells"),
        ({"cells": [CELL] * 2}, "cells"),
        ({"cells": [f"m{number}" for number in range(5)]}, "cells"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"talks": {CELL: [{"role": "system", "content": "x"}]}}, "talks"),
        ({"options": {"max_new_tokens": 1001}}, "max_new_tokens"),
        ({"path": "/etc/passwd"}, "path"),
    ],
)
def test_a_question_that_is_none_is_one_line(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Ask, "request", {**GOOD, **values})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_split_is_one_of_two() -> None:
    with pytest.raises(ConfigError, match="split"):
        parse(Predict, "request", {"cell": CELL, "split": "train"})


@pytest.mark.parametrize("options", [Options(), Options(max_new_tokens=3, temperature=0.5, top_k=2, top_p=0.5, seed=4)])
def test_the_command_line_takes_the_commands(options: Options) -> None:
    asked = Ask(cells=(CELL, "zero_shot", "ia3.tiny.mood.s0"), text="?", instruction=False, options=options)
    for line in chat_commands(asked, ["--env=smoke"]):
        assert values(chat, line)["cell"] == (CELL,)
    line = predict_command(Predict(cell=CELL, options=options), [])
    assert values(predict, line)["split"] == "validation"
    assert ("--sampling-seed 4" in line) == (options.seed is not None)


def values(command: click.Command, line: str) -> dict[str, Any]:
    _, name, *arguments = line.split()
    return command.make_context(name, arguments).params
