"""How many tokens a forward has and how many answers are generated at once, where the training arguments leave it open.

On a CPU these are fixed sizes, found by measuring: products of matrices are as fast as they get, and memory stays
small. On a GPU a forward costs time of its own, so it has as many tokens as there is room for.
"""

import os
from typing import Final

import torch
from transformers import PreTrainedModel

from peft_pipelines.config import TrainingSpec
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.size_check import STATE
from peft_pipelines.models.device import SHARE
from peft_pipelines.models.memory import ON_CPU, cached_per_token, kept_per_token

SMALLEST: Final = {"tokens_per_forward": 256, "generation_batch_size": 1}
LARGEST: Final = {"tokens_per_forward": 2**17, "generation_batch_size": 512}
"""Beyond it a forward is not faster."""
PART: Final = 0.5
"""The share of the free memory that the estimate may fill: the rest is for what it leaves out, logits above all."""


def sized(training_args: TrainingSpec, attached: Attached, length: int) -> TrainingSpec:
    """Return training arguments whose sizes are all set; what was open is chosen for the device.

    On a GPU each is the largest power of two that fits into a part of the free memory, so that a little more or less
    of it gives the same size.

    Args:
        training_args: with the method's own values.
        attached: the method on its clone of the base, where it computes.
        length: the most tokens of a prompt with its answer.
    """
    left_open = [name for name in ON_CPU if getattr(training_args, name) is None]
    if not left_open:
        return training_args
    core = attached.core
    chosen = _fitting(training_args, attached, length) if core.device.type == "cuda" else ON_CPU
    return training_args.model_copy(update={name: chosen[name] for name in left_open})


def _fitting(training_args: TrainingSpec, attached: Attached, length: int) -> dict[str, int]:
    """Both sizes for the memory that is free on the model's GPU."""
    config, bytes_each = attached.core.config.to_dict(), attached.precision.itemsize
    free = free_on_gpu(attached.core)
    kept = bytes_each * kept_per_token(config, checkpointed=training_args.gradient_checkpointing)
    cached = bytes_each * cached_per_token(config)
    tokens = PART * (free - STATE * attached.trainable_parameters()) / max(1, kept)
    answers = PART * free / max(1, cached * (length + attached.method.virtual_tokens))
    found = {"tokens_per_forward": tokens, "generation_batch_size": answers}
    return {name: min(LARGEST[name], max(SMALLEST[name], _power_of_two(most))) for name, most in found.items()}


def free_on_gpu(core: PreTrainedModel) -> int:
    """Return the bytes that this process may still take of the GPU that holds a model.

    Where several processes share a GPU, each may take its part of the whole.
    """
    free, total = torch.cuda.mem_get_info(core.device)
    allocated = torch.cuda.memory_allocated(core.device)
    unused = torch.cuda.memory_reserved(core.device) - allocated
    return max(0, min(free + unused, total // int(os.environ.get(SHARE, "1")) - allocated))


def _power_of_two(most: float) -> int:
    """The largest power of two that is at most so much; 0 where there is none.

    >>> _power_of_two(1000.5), _power_of_two(0.5)
    (512, 0)
    """
    return 1 << int(most).bit_length() - 1 if most >= 1 else 0
