"""The exception that every mistake of a user raises, and its wording."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from peft_pipelines.files.escape import for_terminal

MOST_LISTED: Final = 150
"""Names that one line lists."""


class ConfigError(ValueError):
    """A row, a folder or a data file is not as it must be. The message is one line and names the place.

    It may repeat what others wrote: control characters in it are made visible.
    """

    def __init__(self, message: str) -> None:
        super().__init__(for_terminal(message))


def unknown(where: str, kind: str, name: object, allowed: Iterable[object]) -> ConfigError:
    """Return the error for a name that is not among the allowed ones, with the closest of these as a hint.

    >>> str(unknown("grid.yml", "task", "sst3", ["cola", "sst2"]))
    "grid.yml: unknown task 'sst3', did you mean 'sst2'? Allowed: cola, sst2"
    """
    names, text = [str(item) for item in allowed], f"{name!s:.80}"
    close = get_close_matches(text, names, n=1)
    hint = f", did you mean '{close[0]}'?" if close else "."
    return ConfigError(f"{where}: unknown {kind} '{text}'{hint} Allowed: {_listed(text, names)}")


def _listed(name: str, names: list[str]) -> str:
    """Return the names; of very many the nearest."""
    if len(names) <= MOST_LISTED:
        return ", ".join(names) or "none"
    return f"{', '.join(get_close_matches(name, names, n=10, cutoff=0) or names[:10])}, ... ({len(names)} in all)"
