"""Which attention a tree of tokens runs by: FlexAttention on CUDA, along its paths, or by a mask of all its nodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import Cache, PreTrainedModel

from peft_pipelines.models import tree_attention, tree_flex
from peft_pipelines.models.determinism import same_bits
from peft_pipelines.models.tree_mask import head_width, kinds_of, tree_masks, window_of

if TYPE_CHECKING:
    from peft_pipelines.models.token_tree import TokenTree

FLEX, PATHS, MASK, ROWS = "flex_attention", "sdpa along paths", "sdpa with a mask", "sdpa"
"""The names of the attentions on record; the last one is that of rows that are not packed."""
CAPABILITY = (8, 0)
"""The first GPUs (Ampere) that Triton's kernels are tuned for."""
WIDTHS = range(16, 129)
"""Numbers of a head: a product needs 16, and of more than 128 not every GPU has the shared memory."""
FURTHEST = {torch.float32: 1e-3, torch.bfloat16: 3e-2, torch.float16: 1e-2}
"""By precision how far the numbers of a sound kernel may lie from those of the mask, as a share of the largest."""


@contextmanager
def attending(
    core: PreTrainedModel, tree: "TokenTree", cache: Cache | None, *, flex: bool
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield the mask to give the model by kind of layer, whose layers attend in the block along the tree's paths."""
    if flex:
        with tree_flex.attending(core, [parent for parent, _ in tree.children], cache) as masks:
            yield masks
    elif tree_attention.allows(core):
        with tree_attention.attending(core, tree.paths, cache) as masks:
            yield masks
    else:
        yield tree_masks(core, tree.ancestors(), tree.depths, cache)


def attention_name(core: PreTrainedModel, *, packed: bool, flex: bool) -> str:
    """Return the name of the attention that a model's batches run by."""
    if not packed:
        return ROWS
    return FLEX if flex else PATHS if tree_attention.allows(core) else MASK


def flex_refused(core: PreTrainedModel, precision: torch.dtype) -> str | None:
    """Return the reason why trees of this model cannot run by FlexAttention where it is; None where they can.

    ``precision`` is what its forwards compute in.

    What says nothing against it is tried: a tree of some tokens is run there, forward and backward, once a process in
    each mode: with and without deterministic kernels, as it is now.
    """
    device = core.device
    if device.type != "cuda":
        return f"its kernels are for CUDA, the device is {device.type}"
    capability = torch.cuda.get_device_capability(device)
    if capability < CAPABILITY:
        return f"the GPU's compute capability must be 8.0 or more, got {'.'.join(map(str, capability))}"
    if not (tree_attention.allows(core) and getattr(core, "_supports_flex_attn", False)):
        return "the library has no FlexAttention for models of this type"
    if any(window_of(core, layer) is not None for layer in range(len(kinds_of(core)))):
        return "a layer has a sliding window"
    width, heads = head_width(core), core.config.num_attention_heads
    if width not in WIDTHS:
        return f"a head must have {WIDTHS[0]} to {WIDTHS[-1]} numbers, got {width}"
    shared, same = (
        getattr(core.config, "num_key_value_heads", None) or heads,
        torch.are_deterministic_algorithms_enabled(),
    )
    return failure(device, precision, heads, shared, width, deterministic=same)


@cache
@torch.enable_grad()  # answers are generated without gradients, and a training of the same process has them
def failure(
    device: torch.device, dtype: torch.dtype, heads: int, shared: int, width: int, *, deterministic: bool = False
) -> str | None:
    """Return why FlexAttention does not work on a device, tried on a tree behind 30 tokens; None where it does.

    Args:
        device: where it is tried.
        dtype: the precision.
        heads: of the queries.
        shared: heads of keys and values.
        width: the numbers of a head.
        deterministic: whether by kernels that give the same bits each time; others may serve where these do not.
    """
    parents = [-1, *range(299), 149, *range(300, 399)]
    draw = torch.Generator(device).manual_seed(0)
    sizes = [(heads, 400), (shared, 430), (shared, 430), (heads, 400)]
    *sides, weight = (
        torch.randn(1, *size, width, generator=draw, device=device, dtype=dtype, requires_grad=True) for size in sizes
    )
    mask = tree_flex.block_mask(parents, 30, device)
    try:
        with same_bits(deterministic):
            found = _with_gradients(tree_flex.attention(mask)(None, *sides)[0].transpose(1, 2), sides, weight)
    except torch.OutOfMemoryError:
        raise  # it may pass, and what is found here is kept
    except Exception as error:  # no compiler, too large a kernel: the other attention serves
        return f"it fails on this device: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    seen = _dense(parents, 30).to(device)
    query, key, value = sides
    output = scaled_dot_product_attention(query, key, value, attn_mask=seen, enable_gqa=heads != shared)
    expected = _with_gradients(output, sides, weight)
    off = max(float((one - other).abs().max() / other.abs().max()) for one, other in zip(found, expected, strict=True))
    return None if off <= FURTHEST[dtype] else f"its numbers on this device are off by {off:.1g} of the largest"


def _with_gradients(output: torch.Tensor, sides: list[torch.Tensor], weight: torch.Tensor) -> list[torch.Tensor]:
    """An output with the gradients of its weighted sum."""
    return [output.detach(), *torch.autograd.grad((output * weight.detach()).sum(), sides)]


def _dense(parents: list[int], cached: int) -> torch.Tensor:
    """What each node sees of so many cached tokens and of the nodes, each by each."""
    entry, end = (torch.tensor(side) for side in tree_flex.intervals(parents))
    seen = (entry <= entry[:, None]) & (entry[:, None] < end)
    return torch.cat([seen.new_ones(len(parents), cached), seen], dim=1)
