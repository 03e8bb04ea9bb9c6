"""``kedro plan`` of what a page shows, beside the board: the newest question alone is worked on."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any, Final

from peft_pipelines.board.grid_form import Draft
from peft_pipelines.board.project import Project
from peft_pipelines.board.written import tried
from peft_pipelines.config.errors import ConfigError

ERROR: Final = "Error: "
SUPERSEDED: Final = "superseded"


class Planner:
    """Asks ``kedro plan``, one process at a time; who asks anew ends the question before."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._process: asyncio.subprocess.Process | None = None
        self._asked = 0

    async def plan(self, draft: Draft) -> dict[str, Any]:
        """Return what ``kedro plan --json`` says of a draft, without its cells.

        A question that a newer one has ended gives ``{"superseded": True}``.

        Raises:
            ConfigError: the command refuses the draft.
        """
        self._asked += 1
        mine = self._asked
        self.end()
        with tried(self._project, draft) as conf:
            command = ["-m", "kedro", "plan", f"--env={draft.name}", f"--conf-source={conf}", "--json"]
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                cwd=self._project.root,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            self._process = process
            try:
                said, errors = await process.communicate()
            except asyncio.CancelledError:  # the board ends
                return {SUPERSEDED: True}
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
        if mine != self._asked:
            return {SUPERSEDED: True}
        if process.returncode:
            raise ConfigError(reason_in(errors.decode("utf-8", "replace")))
        found: dict[str, Any] = json.loads(said)
        return {key: value for key, value in found.items() if key != "each"}

    def end(self) -> None:
        """End the question that is worked on."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()


def reason_in(said: str) -> str:
    """Return the reason that a command has printed last.

    >>> reason_in("some words\\nError: grid.yml: unknown task 'x'\\n")
    "grid.yml: unknown task 'x'"
    """
    lines = [line for line in said.splitlines() if line.strip()]
    reasons = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return (reasons or lines or ["the command has ended without a word"])[-1]
