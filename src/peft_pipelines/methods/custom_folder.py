"""The folder of drop-in methods: ``methods`` in the project, or what the environment variable ``PEFT_DIR`` names."""

import os
from pathlib import Path

from peft_pipelines.files.names import METHODS_FOLDER

VARIABLE = "PEFT_DIR"

_set_here: str | None = None


def methods_folder() -> Path:
    """Return the folder in which drop-in methods lie."""
    return Path(os.environ.get(VARIABLE, METHODS_FOLDER))


def use_methods_of(project: Path) -> None:
    """Point the variable at a project's folder, unless the user has pointed it elsewhere."""
    global _set_here  # noqa: PLW0603  (what an earlier project of this process has set is not the user's)
    if os.environ.get(VARIABLE) in (None, _set_here):
        _set_here = os.environ[VARIABLE] = str(project / METHODS_FOLDER)
