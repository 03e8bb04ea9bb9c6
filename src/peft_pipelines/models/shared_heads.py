"""Attention of one new token a row where several heads of queries share one of keys: the keys are not copied for each.

The library repeats keys and values once a head of queries before it attends. Of one token the queries that share keys
can stand behind each other as queries of one head: the same numbers, and nothing is copied.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from peft_pipelines.models import tree_attention

NAME = "peft_pipelines_shared_heads"


@contextmanager
def one_token(core: PreTrainedModel) -> Iterator[None]:
    """Let the model's layers attend so in a block, whose forwards are of one token a row; as ever where it can't."""
    if not tree_attention.allows(core):
        yield
        return
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)
    usual, core.config._attn_implementation = core.config._attn_implementation, NAME
    try:
        yield
    finally:
        core.config._attn_implementation = usual


def _mask(*args: Any, **options: Any) -> torch.Tensor | None:
    """The library's mask. On a GPU it is made always: to leave out one that hides nothing, the host would wait for it.

    On a CPU nothing waits, and without a mask another kernel computes.
    """
    where = options["cache_position"].device if "cache_position" in options else options["device"]  # transformers 4, 5
    if torch.device(where).type != "cpu":
        options["allow_is_causal_skip"] = False
    return sdpa_mask(*args, **options)  # type: ignore[no-any-return]


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The output (rows, 1, heads, width) for queries (rows, heads, 1, width); keys and values have fewer heads."""
    rows, heads, _, width = query.shape
    output = functional.scaled_dot_product_attention(
        query.reshape(rows, key.shape[1], heads // key.shape[1], width),
        key,
        value,
        attn_mask=None if mask is None else mask[..., : key.shape[2]],
        scale=options.get("scaling"),
    )
    return output.reshape(rows, 1, heads, -1), None
