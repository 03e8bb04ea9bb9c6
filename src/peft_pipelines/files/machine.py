"""What this process may use of the machine: processors and memory, also inside a container."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

_CGROUP: Final = Path("/sys/fs/cgroup")
"""Where Linux keeps the limits of a container (cgroup v2; where there is no such file there is no limit)."""


def free_cores(cgroup: Path = _CGROUP) -> int:
    """Return the number of processors that this process may compute on."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text(cgroup / "cpu.max").partition(" ")
    shares = int(quota) // int(period) if quota.isdecimal() and period.isdecimal() else allowed
    return max(1, min(allowed, shares))


def all_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes of memory that this process may ever use."""
    found, most = int(psutil.virtual_memory().total), _text(cgroup / "memory.max")
    return min(found, int(most)) if most.isdecimal() else found


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes of memory that may still be used; what the system keeps of files counts as free."""
    found = int(psutil.virtual_memory().available)
    most, used = _text(cgroup / "memory.max"), _text(cgroup / "memory.current")
    if not (most.isdecimal() and used.isdecimal()):
        return found
    kept = next((line.split()[1] for line in _text(cgroup / "memory.stat").splitlines() if _is_kept(line)), "0")
    return max(0, min(found, int(most) - int(used) + int(kept)))


def _is_kept(line: str) -> bool:
    return line.startswith("inactive_file ")


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii").strip()
    return ""
