"""Adapters that start from a part of the base's weights, saved as plain ones on the base as it was.

Such a method takes what its adapter gives at its start out of the base's weights. What training adds to the base is
the trained adapter less the start: a product of twice the rank, which any reader of plain adapters can use.
"""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.utils.other import transpose
from peft.utils.save_and_load import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"
ADAPTER = "default"
ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 2e-3}
"""By precision, the largest error of a rewritten weight, as a share of the largest weight."""


def unshare(model: PreTrainedModel, config: PeftConfig) -> dict[str, torch.Tensor]:
    """Give the model's weights memory of their own where the method's start may be written into them.

    It is in single precision until ``reshare``: in the base's, the start would be rounded behind its subtraction.

    Returns:
        The shared weights by name, for ``start_of`` and ``reshare``; nothing where the base stays as it is.
    """
    chosen = isinstance(getattr(config, "init_lora_weights", None), str) or getattr(config, "kasa_config", None)
    if not chosen or model.device.type == "meta":
        return {}
    shared = {name: value.detach() for name, value in model.named_parameters() if value.is_floating_point()}
    for name, old in shared.items():
        model.get_parameter(name).data = old.to(torch.float32, copy=True)
    return shared


def reshare(model: PreTrainedModel, shared: dict[str, torch.Tensor]) -> None:
    """Free the copies that are still equal to the shared weights, and use these again; round the others like these."""
    for name, value in model.named_parameters():
        old = shared.get(name.replace(".base_layer", ""))
        if old is not None:
            rounded = value.data.to(old.dtype)
            value.data = old if torch.equal(old, rounded) else rounded


def start_of(model: PeftModel, shared: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a copy of the new adapter by its saved names; empty unless it was taken out of the base's weights."""
    layers = {name: part for name, part in model.get_base_model().named_modules() if isinstance(part, LoraLayer)}
    pairs = [(part, shared[f"{name}.weight"]) for name, part in layers.items() if f"{name}.weight" in shared]
    rewritten = [(part, old) for part, old in pairs if not torch.equal(part.get_base_layer().weight, old.float())]
    if not rewritten or not all(_taken_out(part, old) for part, old in rewritten):
        return {}
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: value.clone() for name, value in state.items()}


def save(model: PeftModel, initial: dict[str, torch.Tensor], folder: Path) -> None:
    """Write the trained adapter minus its start as one plain adapter of twice the rank."""
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    for name, value in tensors.items():
        if "lora_A" in name:
            tensors[name] = torch.cat([value, initial[name].to(value)])
        if "lora_B" in name:
            tensors[name] = torch.cat([value, -initial[name].to(value)], dim=1)
    named = {name: value.detach().contiguous().cpu() for name, value in tensors.items()}
    save_file(named, folder / WEIGHTS, metadata={"format": "pt"})
    _ranked(model.active_peft_config, 2).save_pretrained(str(folder))


def rounds(model: PreTrainedModel, own: PeftConfig, saved: PeftConfig) -> bool:
    """Whether the base's weights less the start had to be rounded, for a method that is saved as ``save`` does.

    Args:
        model: the base.
        own: the config of the method's row, with the library's defaults.
        saved: that of the checkpoint.
    """
    rank: int | None = getattr(own, "r", None)  # 0 where a type has a size of blocks in its place
    return bool(rank and getattr(saved, "r", None) == 2 * rank) and model.dtype != torch.float32


def load(model: PreTrainedModel, config: PeftConfig, folder: Path) -> PeftModel:
    """Attach the adapter in a folder as it was trained: beside weights that its start is taken out of.

    The plain adapter of twice the rank beside the base's own weights, which any reader gets, is the same product but
    for the rounding of these weights.
    """
    tensors = load_file(folder / WEIGHTS)
    rank = {name: value.shape["lora_B" in name] // 2 for name, value in tensors.items()}
    start = {name: _half(name, value, slice(rank[name], None)) for name, value in tensors.items()}
    own = {name: _half(name, value, slice(rank[name])) for name, value in tensors.items()}
    attached = get_peft_model(model, _ranked(config, 0.5))
    set_peft_model_state_dict(attached, start)
    for part in attached.get_base_model().modules():
        if isinstance(part, LoraLayer):
            weight, fan_in_fan_out = part.get_base_layer().weight, part.fan_in_fan_out
            first, second = part.lora_A[ADAPTER].weight.data, part.lora_B[ADAPTER].weight.data
            # the start's second factor is saved with the other sign
            rest = transpose(weight.data.float(), fan_in_fan_out) + part.scaling[ADAPTER] * second @ first
            weight.data = transpose(rest.to(weight.dtype), fan_in_fan_out)
    set_peft_model_state_dict(attached, own)
    return attached


def _half(name: str, value: torch.Tensor, ranks: slice) -> torch.Tensor:
    """The part of some ranks of a factor."""
    return (value[:, ranks] if "lora_B" in name else value[ranks]).clone()


def _taken_out(part: Any, old: torch.Tensor) -> bool:
    """Whether the layer's weight is the old one minus the adapter's product."""
    within = ROUNDING[old.dtype] * old.abs().max().item()
    whole = part.get_base_layer().weight + part.get_delta_weight(ADAPTER)
    return torch.allclose(whole.to(old.dtype), old, rtol=0, atol=within)


def _ranked(config: Any, times: float) -> Any:
    """Return a copy of the config with another rank, the present one ``times`` a number, and the same scale."""
    config = copy.deepcopy(config)
    alpha = math.sqrt(times) if config.use_rslora else times
    config.r = int(times * config.r)
    config.lora_alpha *= alpha
    config.rank_pattern = {name: int(times * rank) for name, rank in config.rank_pattern.items()}
    config.alpha_pattern = {name: alpha * value for name, value in config.alpha_pattern.items()}
    config.init_lora_weights = True
    return config
