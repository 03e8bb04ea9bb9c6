"""The kind of device that models compute on, known without torch where it can only be the CPU."""

import ctypes
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

SHARE: Final = "PEFT_GPU_SHARE"
"""The variable that tells a process how many share its GPU."""

_planned: str | None = None


@contextmanager
def planned(kind: str) -> Iterator[None]:
    """Take a kind for granted as long as the block lasts: other machines compute what this one plans."""
    global _planned  # noqa: PLW0603  (a process plans one run at a time)
    before, _planned = _planned, kind
    try:
        yield
    finally:
        _planned = before


def kind() -> str:
    """Return ``cuda`` or ``cpu``, as ``base_model.device`` does; torch is loaded only where there may be a GPU."""
    if _planned:
        return _planned
    if "torch" not in sys.modules and not _may_have_gpu():
        return "cpu"
    from peft_pipelines.models.base_model import device  # noqa: PLC0415  (loads torch)

    return device().type


@cache
def _may_have_gpu() -> bool:
    """Whether the installed torch is built for GPUs, and the driver that it needs is there."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return True
    built = runpy.run_path(str(Path(found.origin).with_name("version.py")))
    if built.get("hip"):
        return True
    return bool(built.get("cuda")) and (sys.platform != "linux" or _loads("libcuda.so.1"))


def _loads(library: str) -> bool:
    with suppress(OSError):
        ctypes.CDLL(library)
        return True
    return False
