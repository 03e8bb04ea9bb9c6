"""The same bits from each run on a GPU: kernels whose sums keep their order."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch.utils import deterministic

WORKSPACE: Final = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
"""The variable that cuBLAS reads at its first product, and NVIDIA's value for sums in one order."""


def prepare() -> None:
    """Have cuBLAS sum in one order; before the first product of the process, at which it looks."""
    os.environ.setdefault(*WORKSPACE)


@contextmanager
def same_bits(wanted: bool) -> Iterator[None]:
    """Let a block on a GPU give the same bits each time, where ``wanted``.

    Raises, inside the block:
        RuntimeError: an operation has no kernel that does; the message names it.
    """
    if not wanted:
        yield
        return
    prepare()
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    filled = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(True)
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # it costs time, changes nothing
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
