"""Commands of ``kedro`` that the board asks and waits for: processes beside it, which end with it at the latest."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from peft_pipelines.config.errors import ConfigError

ERROR: Final = "Error: "


class Asking:
    """A command that has begun.

    Args:
        root: the project's folder.
        words: what stands behind ``kedro``.

    Raises:
        ConfigError: no command can have these words.
    """

    _all: Final[dict[Path, set["Asking"]]] = defaultdict(set)

    def __init__(self, root: Path, words: Sequence[str]) -> None:
        command = [sys.executable, "-m", "kedro", *words]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        except (ValueError, OSError) as error:  # such as a NUL in them, or too many of them
            raise ConfigError(f"kedro {words[0]}: cannot be asked: {error}") from None
        self._others = self._all[root]
        self._others.add(self)
        self.ended = False

    def answer(self) -> str:
        """Wait for the end of the command, and return what it has printed; call this in a thread.

        Raises:
            ConfigError: the command refuses what it is given, or was ended.
        """
        try:
            said, errors = self._process.communicate()
        finally:
            self._others.discard(self)
        if self._process.returncode:
            raise ConfigError(reason_in(errors.decode("utf-8", "replace")))
        return said.decode("utf-8", "replace")

    def end(self) -> None:
        """End the command."""
        self.ended = True
        self._process.kill()

    @classmethod
    def end_all(cls, root: Path) -> None:
        """End all commands that go on in a project."""
        for one in list(cls._all[root]):
            one.end()


def reason_in(said: str) -> str:
    """Return the reason that a command has printed last.

    >>> reason_in("some words\\nError: grid.yml: unknown task 'x'\\n")
    "grid.yml: unknown task 'x'"
    """
    lines = [line for line in said.splitlines() if line.strip()]
    reasons = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return (reasons or lines or ["the command has ended without a word"])[-1]
