"""A training as its process's own, whatever has started the process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RANKS: Final = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
LAUNCHERS: Final = ("ACCELERATE_", "FSDP_", "MPI_", "MV2_COMM_WORLD_", "OMPI_COMM_WORLD_", "PMI_")
"""How the variables begin by which launchers (srun, mpirun, torchrun, accelerate) say how processes train together."""


@contextmanager
def alone() -> Iterator[None]:
    """Hide these variables in a block.

    The Trainer would join the other processes, of which each makes cells of its own, or compute as they say: in another
    precision, or with fewer steps.
    """
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if name in RANKS or name.startswith(LAUNCHERS)}
    try:
        yield
    finally:
        os.environ.update(hidden)
