"""Which tokens a node of a tree of tokens may see, for each kind of a model's layers."""

import torch
from transformers import Cache, PreTrainedModel


def tree_masks(
    core: PreTrainedModel, ancestors: torch.Tensor, depths: torch.Tensor, cache: Cache | None
) -> dict[str, torch.Tensor]:
    """Return by kind of layer what is added to its attention scores, 0 or minus infinity.

    Args:
        core: the model.
        ancestors: (nodes, nodes), true where the column's node is on the row's path.
        depths: the position of each node in its examples (nodes), from 0.
        cache: keys and values before the tree, of one row; None for none.

    Returns:
        Masks (1, 1, nodes, cached and new tokens) in the model's dtype.
    """
    kinds = getattr(core.config, "layer_types", None) or ["all"]
    return {kind: _mask(core, ancestors, depths, cache, kinds.index(kind)) for kind in dict.fromkeys(kinds)}


def _mask(
    core: PreTrainedModel, ancestors: torch.Tensor, depths: torch.Tensor, cache: Cache | None, layer: int
) -> torch.Tensor:
    nodes = len(depths)
    total = before = 0
    if cache is not None:
        before = cache.get_seq_length()
        total, _ = cache.get_mask_sizes(torch.arange(before, before + nodes, device=depths.device), layer)
    kept = max(0, total - nodes)
    seen = torch.cat([ancestors.new_ones(nodes, kept), ancestors], dim=1)
    window = _window(core, layer)
    if window is not None:
        cached = torch.arange(before - kept, before, device=depths.device)
        positions = torch.cat([cached, depths + before])
        seen &= (depths[:, None] + before) - positions < window
    return torch.zeros(seen.shape, dtype=core.dtype, device=seen.device).masked_fill(~seen, -torch.inf)[None, None]


def _window(core: PreTrainedModel, layer: int) -> int | None:
    """The tokens of a layer's sliding window; None where it sees all."""
    kinds = getattr(core.config, "layer_types", None)
    if kinds and kinds[layer] != "sliding_attention":
        return None
    return getattr(core.config, "sliding_window", None)
