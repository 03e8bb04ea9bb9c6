"""Attention of a tree of tokens by FlexAttention: blocks of tokens that do not see each other are left out.

A token's entry is its place where each node is followed by all behind it, one branch after the other; its exit is the
place behind the last of these. A token sees another one if its entry lies between the other's entry and exit. So a mask
is two numbers a token, and a table of blocks: none of all pairs of tokens is made. The numbers are those of the dense
mask (``tree_mask``), up to the order of sums.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from torch.nn.functional import pad
from transformers import Cache, PreTrainedModel

from peft_pipelines.models.forward import placed
from peft_pipelines.models.tree_attention import attended_by
from peft_pipelines.models.tree_mask import kept

BLOCK = 128
"""Tokens of a block's side, for which the library's kernels are tuned."""
VARIANTS = 64
"""The most variants of the kernels that a process compiles: beyond it the library would run without kernels.

A shape of heads has about eight, by what has a gradient and whether there are fewer than 128 queries; other lengths
need none of their own.
"""
FAR = 2**31 - 1
"""Behind all entries and exits."""


@contextmanager
def attending(core: PreTrainedModel, parents: Sequence[int], cache: Cache | None) -> Iterator[dict[str, torch.Tensor]]:
    """Let the model's layers attend along a tree in a block; yields by kind of layer the mask to give it.

    Args:
        core: a model that ``tree_kernel.flex_refused`` lets through.
        parents: for each node the node before it, -1 for none; parents stand before their children.
        cache: keys and values before the tree, of one row; None for none.
    """
    mask = block_mask(parents, kept(cache, len(parents), 0, core.device), core.device)
    with torch._dynamo.config.patch(recompile_limit=VARIANTS), attended_by(core, attention(mask)) as masks:
        yield masks


def attention(mask: BlockMask) -> Any:
    """Return the attention of a mask, as a function of the library's registry."""

    def attend(
        module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *unread: Any, **options: Any
    ) -> tuple[torch.Tensor, None]:
        kind = query.device.type
        # autocast knows the usual attention alone: what stands in the cache may be in another precision
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else query.dtype
        output = _kernel(kind)(
            *(side.to(dtype) for side in (query, key, value)),
            block_mask=mask,
            scale=options.get("scaling"),
            enable_gqa=query.shape[1] != key.shape[1],
            # one kernel for all lengths: another one for few queries would be compiled beside it
            kernel_options={"FORCE_USE_FLEX_ATTENTION": True},
        )
        return output.transpose(1, 2).contiguous(), None

    return attend


@cache
def _kernel(kind: str) -> Any:
    """FlexAttention, compiled for any lengths where there are kernels for it; elsewhere by plain operations."""
    return torch.compile(flex_attention, dynamic=True) if kind == "cuda" else flex_attention


def block_mask(parents: Sequence[int], cached: int, device: torch.device) -> BlockMask:
    """Return the mask of a tree (queries) behind so many cached tokens that all of it sees (keys)."""
    nodes = len(parents)
    entry, end = (torch.tensor(side, dtype=torch.int32) for side in intervals(parents))
    starts, ends = pad(entry, (cached, 0), value=-1), pad(end, (cached, 0), value=nodes)
    some, every = blocks(entry, starts, ends)
    asked, starts, ends = (placed(side, device) for side in (entry, starts, ends))

    def sees(batch: torch.Tensor, head: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return (starts[key] <= asked[query]) & (asked[query] < ends[key])

    tables = [placed(part, device) for table in (_table(some & ~every), _table(every)) for part in table]
    counts, which, full_counts, full = tables
    return BlockMask.from_kv_blocks(counts, which, full_counts, full, BLOCK, sees, seq_lengths=(nodes, cached + nodes))


def intervals(parents: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return entry and exit of each node.

    >>> intervals([-1, 0, 1, 0, -1, 1])
    ([0, 1, 2, 4, 5, 3], [5, 4, 3, 5, 6, 4])
    """
    sizes = [1] * len(parents)
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            sizes[parents[node]] += sizes[node]
    free, entry = [*range(1, len(parents) + 1), 0], []  # where the next child of a node enters, of the roots at -1
    for node, parent in enumerate(parents):
        entry.append(free[parent])
        free[parent] += sizes[node]
        free[node] = entry[node] + 1
    return entry, [first + size for first, size in zip(entry, sizes, strict=True)]


def blocks(asked: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where a block has pairs that see each other, and where it has no others (query blocks, key blocks).

    Nodes that stand in the order of their entries have no block in vain; in another order some may be.

    Args:
        asked: entries of the queries (queries).
        starts: entries of the keys (keys).
        ends: exits of the keys (keys).
    """
    first, last = _sides(asked, FAR).amin(1)[:, None], _sides(asked, -1).amax(1)[:, None]
    some = (_sides(starts, FAR).amin(1) <= last) & (first < _sides(ends, -1).amax(1))
    every = (_sides(starts, FAR).amax(1) <= _sides(asked, -1).amin(1)[:, None]) & (
        _sides(asked, FAR).amax(1)[:, None] < _sides(ends, -1).amin(1)
    )
    return some, every


def _sides(values: torch.Tensor, filler: int) -> torch.Tensor:
    """Values by block (blocks, ``BLOCK``), the last one filled up."""
    return pad(values, (0, -len(values) % BLOCK), value=filler).view(-1, BLOCK)


def _table(chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How many key blocks each query block has, and which they are, as BlockMask has them."""
    chosen = chosen.int()
    which = torch.argsort(chosen, dim=1, descending=True, stable=True)
    return chosen.sum(1).int()[None, None], which.int()[None, None]
