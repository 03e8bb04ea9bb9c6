"""What comes with the package beside its code: configuration, methods, embedded examples, the starter of projects."""

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]
CONF: Final = "conf"
LOGGING: Final = f"{CONF}/logging.yml"
OF_ONE_MACHINE: Final = "local"
"""The environment that belongs to one machine and may hold what is secret: it comes with no project."""


def shipped(package: Path = PACKAGE) -> Path:
    """Return the folder that holds it, laid out as a project: the wheel's own, or the checkout that is installed."""
    packaged = package / "project"
    return packaged if packaged.is_dir() else package.parents[1]
