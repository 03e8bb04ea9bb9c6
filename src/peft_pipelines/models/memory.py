"""What a forward holds in memory, from the sizes in a model's config."""

from collections.abc import Mapping
from typing import Any, Final

ON_CPU: Final = {"tokens_per_forward": 2048, "generation_batch_size": 32}
"""The sizes of forwards on a CPU where the training arguments leave them open."""
WIDTHS: Final = 9
INNER: Final = 3
"""How often a layer keeps a token's vector for the way back, in widths of the model and of its inner layer;
measured on a Llama of 30 layers whose every weight is trained: 1,055 MB for 904 tokens."""
SIZES: Final = {
    "width": ("hidden_size", "n_embd", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "inner": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "shared_heads": ("num_key_value_heads", "num_kv_heads"),
    "head_width": ("head_dim",),
}
"""What the families call the width of a model, the number of its layers, their inner width, their heads, those of keys
and values, and the width of a head."""


def kept_per_token(config: Mapping[str, Any], *, checkpointed: bool = False) -> int:
    """Return how many numbers a training forward keeps of a token for the way back.

    That is as if all weights were trained. A method that leaves some frozen keeps less: of a Llama of 30 layers, LoRA
    on the queries and values keeps two thirds.

    Args:
        config: of the model, as a dictionary; what it says of its text model counts.
        checkpointed: whether layers are run again on the way back, so that each keeps its input alone.
    """
    width, layers = _size(config, "width"), _size(config, "layers")
    layer = WIDTHS * width + INNER * (_size(config, "inner") or 4 * width)
    return layers * width + layer if checkpointed else layers * layer


def cached_per_token(config: Mapping[str, Any]) -> int:
    """Return how many numbers the keys and values of a token have, in all layers together.

    Args:
        config: of the model, as a dictionary; what it says of its text model counts.
    """
    heads = _size(config, "heads")
    width = _size(config, "head_width") or (_size(config, "width") // heads if heads else 0)
    return 2 * _size(config, "layers") * (_size(config, "shared_heads") or heads) * width


def _size(config: Mapping[str, Any], what: str) -> int:
    """One of the sizes; 0 where the config has it under no name."""
    named = {**config, **config.get("text_config", {})}
    return next((int(named[name]) for name in SIZES[what] if isinstance(named.get(name), int)), 0)
