"""The GPUs of this machine, shared out among the processes that make cells side by side."""

import os
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import device

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""The variable by which CUDA shows a process some of the GPUs, by their numbers or ids."""
PART: Final = "MIG-"
"""How the id of a part of a GPU begins. Of those that are named, CUDA shows a process the first alone."""


def visible() -> list[str]:
    """Return the GPUs that this process may compute on, as ``CUDA_VISIBLE_DEVICES`` names them."""
    if device.kind() != "cuda":
        return []
    import torch  # noqa: PLC0415  (loaded already: the kind of device is known)

    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    if parts := [*takewhile(lambda name: name.startswith(PART), named)]:
        return parts
    return named[: torch.cuda.device_count()] or [str(number) for number in range(torch.cuda.device_count())]


def check_seen() -> None:
    """Raise ConfigError where this process was given a GPU and sees none: it would make its cells on the CPU."""
    if device.SHARE in os.environ and device.kind() != "cuda":
        raise ConfigError(
            f"{VISIBLE}: must name GPUs of this machine that work, a worker sees none by "
            f"'{os.environ.get(VISIBLE, '')}'"
        )


def shared_out(gpus: Sequence[str], workers: int | None, per_gpu: int | None) -> list[str]:
    """Return the GPU of each worker; each GPU gets its second one when all have their first.

    Args:
        gpus: those of the machine.
        workers: how many are asked for; None for as many as the GPUs take.
        per_gpu: how many share a GPU; None for one, and for as many as it takes where workers are asked for.

    Raises:
        ConfigError: a share of a GPU is asked for where there is none, or more workers than the GPUs take.

    >>> shared_out(["0", "1"], None, 2)
    ['0', '1', '0', '1']
    >>> shared_out(["0", "1"], 3, None)
    ['0', '1', '0']
    """
    if not gpus:
        if per_gpu is not None:
            raise ConfigError(f"--per-gpu: must be left out where no GPU is visible, got {per_gpu}")
        return []
    most = len(gpus) * (per_gpu or 1)
    if per_gpu is not None and workers is not None and workers > most:
        raise ConfigError(f"--workers: must be at most {most}, {per_gpu} for each of {len(gpus)} GPUs, got {workers}")
    return [gpus[place % len(gpus)] for place in range(workers or most)]
