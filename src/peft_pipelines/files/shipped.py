"""What comes with the package beside its code: configuration, methods, embedded examples, the starter of projects."""

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1]
LOGGING: Final = "conf/logging.yml"


def shipped(package: Path = PACKAGE) -> Path:
    """Return the folder that holds it, laid out as a project: the wheel's own, or the checkout that is installed."""
    packaged = package / "project"
    return packaged if packaged.is_dir() else package.parents[1]
