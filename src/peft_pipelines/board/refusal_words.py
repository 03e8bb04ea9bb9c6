"""Errors as a page says them: in one line, whatever they are of."""

from typing import Final

from kedro.io import DatasetError

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.escape import for_terminal

REFUSED: Final = (ConfigError, DatasetError)
"""Mistakes, and files that cannot be read: their words are for people."""
LONGEST, SHORT = 600, 200


def in_words(error: Exception) -> str:
    """Return an error in one line with visible control characters; one that nobody expected points to the log.

    >>> in_words(ConfigError("grid.yml: unknown task 'x'"))
    "grid.yml: unknown task 'x'"
    >>> in_words(ZeroDivisionError("by zero"))
    "This could not be done (ZeroDivisionError: by zero). The board's log says more."
    """
    line = " ".join(str(error).split())
    if isinstance(error, REFUSED):
        return for_terminal(f"{line:.{LONGEST}}")
    return for_terminal(f"This could not be done ({type(error).__name__}: {line:.{SHORT}}). The board's log says more.")
