"""Where a causal language model keeps its layers."""

from torch import nn
from transformers import PreTrainedModel


def decoder_layers(model: PreTrainedModel) -> list[nn.Module]:
    """Return the model's decoder layers in order, wherever its architecture keeps them."""
    depth = model.config.num_hidden_layers
    return next(list(part) for part in model.modules() if isinstance(part, nn.ModuleList) and len(part) == depth)
