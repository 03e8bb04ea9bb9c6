"""Quantisation of the frozen base under a method, as in QLoRA (Dettmers et al. 2023)."""

from functools import cache
from math import prod
from typing import Any, cast

import torch
from torch import nn
from torch.utils.flop_counter import register_flop_formula
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from peft_pipelines.config import MethodSpec

BIAS = 3
"""The place of the bias among the arguments of the product behind the layer's shape."""


def quantised(model: PreTrainedModel, method: MethodSpec) -> PreTrainedModel:
    """Return the model, its linear layers but the output head in 4-bit NormalFloat where the method's row asks for it.

    The layers are replaced by ones that hold weights of their own, made from the model's, which stay as they are.
    Scales are quantised once more (double quantisation). On the meta device the shapes are those of packed weights, so
    that a method that does not support them is refused there.
    """
    if method.quantization is None:
        return model
    _counted()
    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if isinstance(layer, (nn.Linear, Conv1D)) and layer is not head:
            model.set_submodule(name, _packed(layer, model.dtype))
    model.is_loaded_in_4bit = True  # peft recognises such layers by it
    return model


def _packed(layer: nn.Linear | Conv1D, dtype: torch.dtype) -> nn.Module:
    from bitsandbytes.nn import Linear4bit, Params4bit  # noqa: PLC0415  (only rows that ask for it need the library)

    weight = layer.weight.detach().T if isinstance(layer, Conv1D) else layer.weight.detach()
    outputs, inputs = weight.shape
    compute = dtype if weight.device.type == "cuda" else torch.float32  # a CPU is many times slower in bf16
    packed: Any = Linear4bit(inputs, outputs, layer.bias is not None, compute, quant_type="nf4", device="meta")
    values = weight.contiguous() if weight.device.type != "meta" else _packed_shape(weight)
    packed.weight = Params4bit(values, requires_grad=False, quant_type="nf4", module=packed).to(weight.device)
    packed.bias = layer.bias
    packed.support_avx512bf16_for_cpu = False  # answers would come from another kernel, in bf16, than training's losses
    return cast(nn.Module, packed)


def _packed_shape(weight: torch.Tensor) -> torch.Tensor:
    """An empty column of bytes on the meta device, two weights to a byte."""
    return torch.empty((weight.numel() + 1) // 2, 1, dtype=torch.uint8, device="meta")


@cache
def _counted() -> None:
    """Register the library's matrix product with torch's counter of operations: it counts as much as the plain one."""
    import bitsandbytes  # noqa: F401, PLC0415  (registers the operation)

    @register_flop_formula(torch.ops.bitsandbytes.gemm_4bit)
    def flops(inputs: tuple[int, ...], packed: Any, shape: list[int], *args: Any, out_shape: Any, **named: Any) -> int:
        biased = named.get("bias") is not None or args[BIAS : BIAS + 1] not in ((), (None,))
        return 2 * prod(inputs) * shape[0] + (prod(out_shape) if biased else 0)
