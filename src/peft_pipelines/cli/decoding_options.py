"""The options that choose how answers are decoded, of commands whose answers are no scores of the benchmark."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from peft_pipelines.cli import options
from peft_pipelines.config.errors import ConfigError

if TYPE_CHECKING:
    from peft_pipelines.serving.sampling_options import Sampling

SEED: Final = "sampling_seed"


@dataclass(frozen=True)
class Decoding:
    """What was asked for: the most tokens of an answer, and the fields of ``Sampling``; None for those left out."""

    max_new_tokens: int | None = None
    drawn: dict[str, Any] = field(default_factory=dict)

    def sampling(self) -> "Sampling | None":
        """Return how tokens are drawn; None for greedy answers.

        Raises:
            ConfigError: a value is out of its range, or stands without --temperature.
        """
        from peft_pipelines.serving.sampling_options import sampling_of  # noqa: PLC0415  (``kedro --help`` waits for no model)

        return sampling_of(self.drawn, lambda name: f"--{SEED if name == 'seed' else name}".replace("_", "-"))

    def plan(self) -> dict[str, Any]:
        """Return the values that were given, which decide the answers beside all else."""
        given = {"max_new_tokens": self.max_new_tokens, **self.drawn}
        return {name: value for name, value in given.items() if value is not None}


def number(where: str, value: str | float) -> float:
    """Return a finite number.

    >>> number("--temperature", "hot")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: --temperature: must be a number, got 'hot'
    """
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ConfigError(f"{where}: must be a number, got '{value!s:.80}'")
    return found


def whole(where: str, value: str | int) -> int:
    """Return a whole number of at least zero."""
    digits = str(value).strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(2**32))):
        raise ConfigError(f"{where}: must be a whole number, got '{value!s:.80}'")
    return int(digits)


def _none() -> None:
    return None


def _option(name: str, read: Callable[[str, Any], Any], metavar: str, text: str) -> Callable[..., Any]:
    return click.option(name, metavar=metavar, type=click.UNPROCESSED, callback=options.strict(read, _none), help=text)


OPTIONS: Final = (
    _option("--max-new-tokens", options.count, "N", "The longest answer. Default: that of the cell's scores."),
    _option("--temperature", number, "T", "Draw each token at this temperature. Default: greedy, as in scores."),
    _option("--top-k", options.count, "N", "With --temperature: draw from the N likeliest tokens only."),
    _option("--top-p", number, "P", "With --temperature: only from the likeliest that have this share together."),
    _option("--sampling-seed", whole, "N", "With --temperature: the seed of what is drawn. Default: 0."),
)


def with_decoding(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; it gets them together, as ``decoding``."""

    @wraps(command)
    def collected(
        *args: Any,
        max_new_tokens: int | None,
        temperature: float | None,
        top_k: int | None,
        top_p: float | None,
        sampling_seed: int | None,
        **rest: Any,
    ) -> Any:
        drawn = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": sampling_seed}
        return command(*args, decoding=Decoding(max_new_tokens, drawn), **rest)

    found: Callable[..., Any] = collected
    for option in reversed(OPTIONS):
        found = option(found)
    return found
