"""The folder of drop-in methods: ``methods`` in the project, or what the environment variable ``PEFT_DIR`` names."""

import os
from pathlib import Path

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.names import METHODS_FOLDER

VARIABLE = "PEFT_DIR"

_set_here: str | None = None


def methods_folder() -> Path:
    """Return the folder in which drop-in methods lie."""
    return Path(os.environ.get(VARIABLE, METHODS_FOLDER))


def use_methods_of(project: Path) -> None:
    """Point the variable at a project's folder, unless the user has pointed it elsewhere.

    Raises:
        ConfigError: the user has pointed it at what is no folder, or cannot be read.
    """
    global _set_here  # noqa: PLW0603  (what an earlier project of this process has set is not the user's)
    given = os.environ.get(VARIABLE)
    if given in (None, _set_here):
        _set_here = os.environ[VARIABLE] = str(project / METHODS_FOLDER)
    else:
        _check(given or "")


def _check(given: str) -> None:
    """Raise ConfigError where the variable does not name a folder that can be read."""
    where = f"{VARIABLE}: must name a folder with a folder for each method"
    if not given.strip():
        raise ConfigError(f"{where}, got '{given}'; leave the variable unset for '{METHODS_FOLDER}' in the project")
    try:
        os.listdir(given)
    except OSError as error:
        advice = "; '~' is not expanded here, write the whole path" if given.startswith("~") else ""
        raise ConfigError(f"{where}, got '{given:.300}': {error.strerror}{advice}") from None
