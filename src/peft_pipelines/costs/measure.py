"""Costs of a block of code: seconds, processor seconds, peak memory, energy."""

import ctypes
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import torch

from peft_pipelines.costs import energy
from peft_pipelines.files.system import peak_memory

GB = 1e9


@contextmanager
def cost() -> Iterator[dict[str, Any]]:
    """Fill a dict with a block's costs: ``seconds``, ``cpu_seconds``, ``peak_memory_gb``, ``memory_kind`` and energy.

    Memory is in 10^9 bytes, above what is there at the start: the peak that CUDA allocated, or on a CPU the peak
    resident set. For the fields of energy see energy.py.
    """
    report: dict[str, Any] = {}
    gc.collect()
    with energy.estimated() as drawn:
        before, kind = _reset_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        yield report
        if kind == CUDA:
            torch.cuda.synchronize()  # what is under way there belongs to the block
        report["seconds"] = time.perf_counter() - wall
        report["cpu_seconds"] = time.process_time() - cpu
        report["peak_memory_gb"] = max(0, _peak(kind) - before) / GB
        report["memory_kind"] = kind
    report |= drawn


CUDA = "cuda allocated above the loaded base"
RESIDENT = "resident set above the loaded base"
PROCESS = "process peak above the loaded base"
"""The kind where the kernel does not let a process reset its peak."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _reset_peak() -> tuple[int, str]:
    """Reset the peak; return the bytes in use and the kind of memory."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # what was begun before is not the block's
        torch.cuda.reset_peak_memory_stats()
        return int(torch.cuda.memory_allocated()), CUDA
    kind = PROCESS
    if _CLEAR.exists():
        with suppress(OSError):
            ctypes.CDLL(None).malloc_trim(0)
            _CLEAR.write_text("5")
            kind = RESIDENT
    return int(psutil.Process().memory_info().rss), kind


def _peak(kind: str) -> int:
    if kind == CUDA:
        return int(torch.cuda.max_memory_allocated())
    if kind == RESIDENT:
        found = [line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM")]
        return int(found[0]) * 1024 if found else int(psutil.Process().memory_info().rss)
    return peak_memory()
