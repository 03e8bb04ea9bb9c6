"""A model's chat template: turns to text, on the date and with the values of the model's row."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data import rendering

Turns = list[dict[str, str]]

QUESTION, ANSWER = "the question's place", "the answer's place"
"""Stand for the texts of a turn when a template is asked what it puts around them."""

PATIENCE = 60
"""Seconds until a trial that does not end is given up; the process itself has 10 of computing."""


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template with what it is given beside the turns.

    Attributes:
        text: the template.
        special: the tokenizer's special tokens, by the names that templates know them by.
        day: the date that it prints, ISO.
        values: further values of the model's row, such as ``enable_thinking``.
    """

    text: str
    special: Mapping[str, Any]
    day: str
    values: Mapping[str, Any]

    def render(self, turns: Turns, *, add_generation_prompt: bool) -> str:
        """Return the text of turns; with the generation prompt up to where an answer begins."""
        return rendering.rendered(self.text, self.day, self._given(turns, add_generation_prompt))

    def _given(self, turns: Turns, add_generation_prompt: bool) -> dict[str, Any]:
        own = {"messages": turns, "tools": None, "documents": None, "add_generation_prompt": add_generation_prompt}
        today = date.fromisoformat(self.day).strftime("%d %b %Y")
        return {**self.special, "date_string": today, **self.values, **own}

    def check(self) -> None:
        """Try the template in a process of its own.

        Raises:
            ConfigError: it cannot be rendered in bounds, leaves out the prompt or the answer, or asks for no such
                value as the row gives.
        """
        question = {"role": "user", "content": QUESTION}
        cases = [
            self._given([question], True),
            self._given([question, {"role": "assistant", "content": ANSWER}], False),
            self._given([question, {"role": "assistant", "content": ANSWER}, question], True),
        ]
        found = _tried(json.dumps([self.text, self.day, cases]))
        if "error" in found:
            raise ConfigError(f"its chat template must make a text of turns, got {found['error']}")
        if found["texts"] != [rendering.rendered(self.text, self.day, case) for case in cases]:
            raise ConfigError("its chat template must make the same text each time, got two for one prompt")
        for text, places in zip(found["texts"], ((QUESTION,), (QUESTION, ANSWER), (QUESTION, ANSWER)), strict=True):
            for place in places:
                if place not in text:
                    what = place.removesuffix("'s place").replace("question", "prompt")
                    raise ConfigError(
                        f"its chat template must write {what} as it is, got '{text:.60}'; its content is one text, "
                        "not a list of parts"
                    )
        unknown = sorted(set(self.values) - set(found["asks"]))
        if unknown:
            raise ConfigError(
                f"chat_template_kwargs: its chat template does not ask for '{unknown[0]}', it asks for "
                f"{', '.join(found['asks'])}"
            )


@lru_cache(maxsize=32)
def _tried(trial: str) -> dict[str, Any]:
    command = [sys.executable, "-P", rendering.__file__]  # -P: modules beside it hide some of the standard library
    try:
        done = subprocess.run(command, input=trial, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"no end after {PATIENCE} s"}
    if done.returncode or not done.stdout:
        return {"error": f"no end within {rendering.SECONDS} s of computing and {rendering.MEMORY >> 30} GiB of memory"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found
