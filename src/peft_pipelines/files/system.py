"""What not every operating system has, and what is done without it; Windows has neither ``fcntl`` nor ``resource``.

Nothing else in a run imports such modules or names such signals. Where one is needed, the run is refused in one line.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

import psutil

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]
try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

WINDOWS: Final = os.name == "nt"
LINUX: Final = sys.platform == "linux"
HANGUP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)
"""What a closed terminal sends; no signal on Windows, which ends the process."""
ENDING: Final = tuple(one for one in (signal.SIGINT, signal.SIGTERM, HANGUP) if one is not None)
"""The signals that tell a run to end."""
HANDS_ON: Final = not WINDOWS
"""Whether a process can hand an open socket to one that it starts, as a run does to its workers."""


def lock(handle: int) -> bool:
    """Lock an open folder for this process; returns False where there are no such locks.

    Raises:
        BlockingIOError: another process has it.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # the file system has none
        return False
    return True


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk; Windows opens no folder and writes names itself."""
    if WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)  # there it takes the right to write
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory since it began."""
    if resource is None:
        return int(psutil.Process().memory_info().peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def show_at(place: Path, file: Path) -> None:
    """Have a file appear at another place too: by a link, and as a copy where links take rights that nobody has."""
    try:
        place.symlink_to(file)
    except OSError:
        if not WINDOWS:
            raise
        shutil.copyfile(file, place)
