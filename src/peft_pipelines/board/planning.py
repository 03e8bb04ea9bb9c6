"""``kedro plan`` of what a page shows, beside the board: the newest question alone is worked on."""

import json
from threading import Lock
from typing import Any, Final

from peft_pipelines.board.asking import Asking
from peft_pipelines.board.grid_form import Draft
from peft_pipelines.board.project import Project
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError

SUPERSEDED: Final = "superseded"


class Planner:
    """Asks ``kedro plan``, one process at a time; who asks anew ends the question before."""

    def __init__(self, project: Project) -> None:
        self._project, self._lock = project, Lock()
        self._asking: Asking | None = None

    def plan(self, draft: Draft) -> dict[str, Any]:
        """Return what ``kedro plan --json`` says of a draft, without its cells.

        A question that a newer one has ended gives ``{"superseded": True}``.

        Raises:
            ConfigError: the command refuses the draft.
        """
        with drafted(self._project.conf, draft.name, draft.texts) as conf:
            with self._lock:
                if self._asking:
                    self._asking.end()
                words = ["plan", f"--env={draft.name}", f"--conf-source={conf}", "--json"]
                self._asking = asking = Asking(self._project.root, words)
            try:
                said = asking.answer()
            except ConfigError:
                if asking.ended:
                    return {SUPERSEDED: True}
                raise
        found: dict[str, Any] = json.loads(said)
        return {key: value for key, value in found.items() if key != "each"}
