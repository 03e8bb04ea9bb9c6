"""Forwards of a causal language model that do less work: behind a cache, or with the output head at some places."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import Cache, DynamicCache, PreTrainedModel

from peft_pipelines.methods.attached import Attached


def prefix_cache(attached: Attached, prefix: torch.Tensor) -> Cache:
    """Keys and values of one row for the soft prompt, if any, and the prefix tokens (1, tokens)."""
    # some models make no cache of their own in training mode
    start = attached.start() if attached.start else DynamicCache(config=attached.core.config)
    keep = {"logits_to_keep": 1} if takes(attached, "logits_to_keep") else {}
    return attached.core(input_ids=prefix, past_key_values=start, use_cache=True, **keep).past_key_values


@contextmanager
def head_only_at(core: PreTrainedModel, chosen: torch.Tensor) -> Iterator[None]:
    """A block in which the output head sees, of its (rows, places, width), the chosen ones as one row."""
    head: nn.Module = core.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][chosen][None], *inputs[1:]))
    try:
        yield
    finally:
        hook.remove()


def forward(
    core: PreTrainedModel,
    ids: torch.Tensor,
    mask: torch.Tensor,
    positions: torch.Tensor,
    cache: Cache | None,
    **options: Any,
) -> Any:
    """The model's output for tokens behind a cache, with those options only that its forward takes."""
    accepted = inspect.signature(core.forward).parameters
    options = {"position_ids": positions, **options}
    return core(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
        **{name: value for name, value in options.items() if name in accepted},
    )


def takes(attached: Attached, argument: str) -> bool:
    return argument in inspect.signature(attached.core.forward).parameters
