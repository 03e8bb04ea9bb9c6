"""Training the base model's own weights, all of them or those of the last decoder layers, in copies of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.config_check import dataclass_fields
from peft_pipelines.methods.decoder import decoder_layers
from peft_pipelines.methods.size_check import training_bytes

TENSORS = "model.safetensors"
MATRICES = (nn.Linear, Conv1D, nn.Embedding)
"""Modules that do nothing with their weights but multiply by them, or look rows of them up; not those made of them."""


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Return the bytes of what is trained.

    Raises:
        ConfigError: the type is unknown, the model has fewer layers, or the weights are to be quantised.
    """
    chosen = _chosen(method, skeleton)
    if method.quantization:
        where = f"method '{method.name}', quantization"
        raise ConfigError(f"{where}: must be null, got '{method.quantization}': the weights themselves are trained")
    skeleton.requires_grad_(False)
    for part in chosen:
        part.requires_grad_(True)
    return training_bytes(method, skeleton)


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """Make the chosen weights of the clone trainable."""
    for part in _chosen(method, clone):
        part.requires_grad_(True)
    attached = Attached(method, clone, clone, handle=None)
    for part in clone.modules():
        if isinstance(part, nn.Embedding) and attached.precision != torch.float32:
            part.register_forward_hook(partial(_narrowed, attached.precision))
    return attached


def _narrowed(precision: torch.dtype, part: nn.Module, args: object, found: torch.Tensor) -> torch.Tensor:
    """What trained embeddings give, in the precision that all layers behind them compute in."""
    return found.to(precision)


def save(attached: Attached, folder: Path) -> None:
    """Write the trained tensors by their names in the model; of a whole model also its config.

    Matrices are written in the precision that they are multiplied in: more of them has no effect.
    """
    chosen = {id(value) for part in _chosen(attached.method, attached.core) for value in part.parameters()}
    wide = _used_otherwise(attached.core)
    tensors = {
        name: value.detach().to("cpu", value.dtype if id(value) in wide else attached.precision).contiguous()
        for name, value in attached.core.named_parameters()
        if id(value) in chosen
    }
    save_file(tensors, folder / TENSORS, metadata={"format": "pt"})
    if len(tensors) == len(list(attached.core.parameters())):
        attached.core.config.save_pretrained(folder)


def _used_otherwise(core: PreTrainedModel) -> set[int]:
    """The ids of the parameters that are no matrix, or that some module uses as another one than ``MATRICES`` do."""
    parts = [(type(part), name, value) for part in core.modules() for name, value in part._parameters.items()]
    return {id(value) for kind, name, value in parts if not (kind in MATRICES and name == "weight")}


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """Put the saved tensors in place of the clone's own."""
    attached = attach(clone, method)
    for name, value in load_file(folder / TENSORS).items():
        clone.get_parameter(name).data = value.to(clone.device)
    return attached


def merge(attached: Attached) -> PreTrainedModel:
    """Return the model: its weights are the method."""
    return attached.core


def _chosen(method: MethodSpec, model: PreTrainedModel) -> list[nn.Module]:
    if method.type not in TYPES:
        raise unknown(f"method '{method.name}'", "type", method.type, TYPES)
    config, choose = TYPES[method.type]
    allowed = dataclass_fields(config)
    for name in method.config:
        if name not in allowed:
            raise unknown(f"method '{method.name}', config", "field", name, allowed)
    return choose(method, model)


def _all(method: MethodSpec, model: PreTrainedModel) -> list[nn.Module]:
    return [model]


def _last_layers(method: MethodSpec, model: PreTrainedModel) -> list[nn.Module]:
    layers, count = decoder_layers(model), method.config.get("layers")
    if type(count) is not int or not 1 <= count <= len(layers):
        raise ConfigError(f"method '{method.name}', config, layers: must be from 1 to {len(layers)}, got {count!r}")
    return layers[-count:]


@dataclass(frozen=True)
class AllWeights:
    """The config of type ``all``, which needs none."""


@dataclass(frozen=True)
class LastLayers:
    """The config of type ``last_layers``.

    Args:
        layers: How many decoder layers are trained whole, counted from the last; from 1 to the model's number.
    """

    layers: int


Choice = Callable[[MethodSpec, PreTrainedModel], list[nn.Module]]
TYPES: dict[str, tuple[type[Any], Choice]] = {"all": (AllWeights, _all), "last_layers": (LastLayers, _last_layers)}
"""By type: the class of its config, and the function that picks the modules to train."""
