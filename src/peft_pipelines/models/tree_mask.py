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
    kinds = kinds_of(core)
    return {kind: _mask(core, ancestors, depths, cache, kinds.index(kind)) for kind in dict.fromkeys(kinds)}


def _mask(
    core: PreTrainedModel, ancestors: torch.Tensor, depths: torch.Tensor, cache: Cache | None, layer: int
) -> torch.Tensor:
    nodes = len(depths)
    before, held = cache.get_seq_length() if cache is not None else 0, kept(cache, nodes, layer, depths.device)
    seen = torch.cat([ancestors.new_ones(nodes, held), ancestors], dim=1)
    window = window_of(core, layer)
    if window is not None:
        cached = torch.arange(before - held, before, device=depths.device)
        positions = torch.cat([cached, depths + before])
        seen &= (depths[:, None] + before) - positions < window
    return torch.zeros(seen.shape, dtype=core.dtype, device=seen.device).masked_fill(~seen, -torch.inf)[None, None]


def kinds_of(core: PreTrainedModel) -> list[str]:
    """Return the kind of attention of each layer; of a model whose layers are all alike, one kind for all."""
    return getattr(core.config, "layer_types", None) or ["all"]


def kept(cache: Cache | None, nodes: int, layer: int, device: torch.device) -> int:
    """Count the cached tokens that a layer shows to so many new ones: a window may have dropped some."""
    if cache is None:
        return 0
    before = cache.get_seq_length()
    total, _ = cache.get_mask_sizes(torch.arange(before, before + nodes, device=device), layer)
    return max(0, int(total) - nodes)


def window_of(core: PreTrainedModel, layer: int) -> int | None:
    """Return the tokens of a layer's sliding window; None where it sees all."""
    kinds = getattr(core.config, "layer_types", None)
    if kinds and kinds[layer] != "sliding_attention":
        return None
    return getattr(core.config, "sliding_window", None)


def head_width(core: PreTrainedModel) -> int:
    """Return the numbers of a head of attention."""
    config = core.config
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
