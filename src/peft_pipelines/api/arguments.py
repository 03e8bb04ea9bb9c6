"""What each argument of the interface may be, checked before anything is opened or written."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from peft_pipelines.api.grid import Grid
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.spec import shown, written

SEEDS: Final = 2**32
"""As many whole numbers, from 0, numpy takes as seeds."""


@dataclass(frozen=True)
class _Kind:
    """What an argument may be: in words, and as a test of a value."""

    words: str
    holds: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(written(value))
    except ValueError:
        return False


def _is_seed(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return isinstance(value, np.random.RandomState) or (whole and 0 <= value < SEEDS)


_ROW: Final = _Kind("the name of a row or a dictionary", lambda value: isinstance(value, str | Mapping))
_DICTIONARY: Final = _Kind("a dictionary", lambda value: isinstance(value, Mapping))
_FOLDER: Final = _Kind(
    "a folder's path, as text or Path",
    lambda value: isinstance(value, str | os.PathLike) and _is_text(os.fspath(value)),
)
_KINDS: Final = {
    "grid": _Kind("a Grid", lambda value: isinstance(value, Grid)),
    "env": _Kind("the name of an environment", _is_text),
    "workers": _Kind("a whole number of at least 1", lambda value: type(value) is int and value >= 1),
    "cell": _Kind("the text METHOD.MODEL.TASK.SEED", _is_text),
    "run_id": _Kind("the id of a run, as text", _is_text),
    "validation_fraction": _Kind(
        "a number between 0 and 1", lambda value: isinstance(value, float | np.floating) and 0 < float(value) < 1
    ),
    "random_state": _Kind(f"a whole number from 0 to {SEEDS - 1}, a RandomState", _is_seed),
    **dict.fromkeys(("project", "store", "raw", "folder"), _FOLDER),
    **dict.fromkeys(("method", "model"), _ROW),
    **dict.fromkeys(("training", "label_words"), _DICTIONARY),
}
"""By the name of an argument what it may be, where it is given."""
_NEEDED: Final = ("cell", "folder", "method", "model", "validation_fraction")
"""Arguments that may not be None."""


def check(where: str = "", /, **given: Any) -> None:
    """Raise ConfigError for the first argument that is not as it must be; None is as if it were left out.

    Args:
        where: what the arguments are of, for the message.
        given: the arguments by their names.

    >>> check(env="mine", store=None)
    >>> check(env=3)
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: env: must be the name of an environment, or None, got 3
    """
    for name, value in given.items():
        kind, needed = _KINDS[name], name in _NEEDED
        if (value is None and not needed) or (value is not None and kind.holds(value)):
            continue
        place = f"{where}, {name}" if where else name
        raise ConfigError(f"{place}: must be {kind.words}{'' if needed else ', or None'}, got {shown(value)}")
