"""Forwards of a causal language model behind a cache."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache, PreTrainedModel

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.last_layer import end_only_at


def prefix_cache(attached: Attached, prefix: torch.Tensor) -> Cache:
    """Return the keys and values of the soft prompt, if any, and of the prefix (1, tokens), for one row."""
    # some models make no cache of their own in training mode
    start = attached.start() if attached.start else DynamicCache(config=attached.core.config)
    none = torch.zeros(0, dtype=torch.long, device=prefix.device)
    with end_only_at(attached.core, (none, none)):
        return attached.core(input_ids=prefix, past_key_values=start, use_cache=True).past_key_values


def whole(start: Cache | None) -> Cache:
    """Return a cache that forgets no token, with the keys and values of another: a tree is longer than its rows."""
    return cache_of([side for layer in start.layers for side in (layer.keys, layer.values)] if start else [])


def cache_of(sides: Sequence[torch.Tensor]) -> Cache:
    """Return keys and values, by turns for each layer, as a cache that forgets no token."""
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(zip(sides[::2], sides[1::2], strict=True)):
        cache.update(keys, values, layer)
    return cache


def forward(
    core: PreTrainedModel,
    ids: torch.Tensor,
    mask: torch.Tensor,
    positions: torch.Tensor,
    cache: Cache | None,
    **options: Any,
) -> Any:
    """Return the model's output for tokens behind a cache; the cache grows by them.

    Args:
        core: the causal language model with the method's layers in it.
        ids: token ids (rows, tokens).
        mask: (rows, cached and new tokens), 0 at padding.
        positions: (rows, tokens), left out where the model's forward takes none.
        cache: keys and values of earlier tokens, if any.
        options: further arguments; those that the model's forward does not take are left out.
    """
    accepted = inspect.signature(core.forward).parameters
    options = {"position_ids": positions, **options}
    return core(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
        **{name: value for name, value in options.items() if name in accepted},
    )


def placed(values: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Return a tensor on a device. The host does not wait until it is there: what runs there does."""
    return values.to(device, non_blocking=True)


def takes(attached: Attached, argument: str) -> bool:
    """Return whether the forward of the method's model has an argument of this name."""
    return argument in inspect.signature(attached.core.forward).parameters
