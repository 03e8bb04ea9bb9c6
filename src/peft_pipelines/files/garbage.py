"""How often Python looks for garbage in cycles: seldom in a process whose objects mostly stay until its end."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATIONS = 50_000
"""New objects between two looks among the youngest; Python's own number is 700."""


@contextmanager
def seldom() -> Iterator[None]:
    """Look for garbage seldom in a block, and not at all when the process ends.

    The libraries of a run are a million objects that stay. To look through them again and again while they are
    imported, and once more at the end, takes seconds of the processor. What a cell leaves is collected explicitly.
    """
    before = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *before[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def light() -> Iterator[None]:
    """Keep what exists before a block (libraries, thousands of nodes) out of the garbage collections in it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
