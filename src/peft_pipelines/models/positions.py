"""How many tokens a model can hold."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig


def positions(config: "PretrainedConfig") -> int | None:
    """Return the number of positions of a model, stretched as its config says; None where it has no such limit."""
    text = config.get_text_config()
    found = getattr(text, "max_position_embeddings", None)
    if not isinstance(found, int) or getattr(text, "alibi", False):
        return None
    stretch: dict[str, Any] = getattr(text, "rope_scaling", None) or {}
    factor = stretch.get("factor")
    extended = stretch.get("rope_type", stretch.get("type")) in ("linear", "dynamic", "yarn")
    return int(found * factor) if extended and isinstance(factor, int | float) and factor > 1 else found
