"""The command that does in a terminal what a page does."""

import shlex
from collections.abc import Sequence
from typing import Final

from peft_pipelines.board.asked import Ask, Options, Predict

FLAGS: Final = {
    "max_new_tokens": "--max-new-tokens",
    "temperature": "--temperature",
    "top_k": "--top-k",
    "top_p": "--top-p",
    "seed": "--sampling-seed",
}


def chat_commands(asked: Ask, env: Sequence[str]) -> list[str]:
    """Return the commands that ask cells what a page has asked: one, or one for each further cell.

    Args:
        asked: the question.
        env: the option of the environment, as ``env_option`` has it.

    >>> chat_commands(Ask(cells=("lora.tiny.mood.s0", "zero_shot"), text="?"), ["--env=smoke"])
    ['kedro chat lora.tiny.mood.s0 --beside zero_shot --env=smoke']
    """
    first, *others = asked.cells
    how = [*([] if asked.instruction else ["--no-instruction"]), *_values(asked.options), *env]
    beside = [["--beside", other] for other in others] or [[]]
    return [shlex.join(["kedro", "chat", first, *each, *how]) for each in beside]


def predict_command(asked: Predict, env: Sequence[str]) -> str:
    """Return the command that answers a split's rows as a page has done; ``env`` as for ``chat_commands``.

    >>> predict_command(Predict(cell="lora.tiny.mood.s0", rows=5, options=Options(temperature=0.5)), [])
    'kedro predict lora.tiny.mood.s0 --split validation --rows 5 --output answers.jsonl --temperature 0.5'
    """
    what = ["--split", asked.split, "--rows", str(asked.rows), "--output", "answers.jsonl"]
    return shlex.join(["kedro", "predict", asked.cell, *what, *_values(asked.options), *env])


def compare_command(first: str, second: str, every: bool, env: Sequence[str]) -> str:
    """Return the command that compares two runs; ``env`` as for ``chat_commands``."""
    return shlex.join(["kedro", "compare", first, second, *(["--all"] if every else []), *env])


def env_option(env: str, default: str) -> list[str]:
    """Return the option that chooses an environment; none for the default one.

    >>> env_option("smoke", "local"), env_option("local", "local")
    (['--env=smoke'], [])
    """
    return [] if env == default else [f"--env={env}"]


def _values(options: Options) -> list[str]:
    given = {name: value for name, value in options.model_dump().items() if value is not None}
    return [word for name, value in given.items() for word in (FLAGS[name], str(value))]
