"""BitFit: only bias vectors are trained; a layer without one gets one of zeros, which changes nothing at the start."""

from typing import Any, ClassVar

import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

from .config import BitFitConfig

LINEAR = (nn.Linear, Conv1D)


class BitFitModel(BaseTuner):
    """Adds and trains ``bias`` parameters in place; no layer is replaced."""

    prefix = "bias"
    tuner_layer_cls = BaseTunerLayer
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}

    def _prepare_adapter_config(self, peft_config: BitFitConfig, model_config: dict[str, Any]) -> BitFitConfig:
        if peft_config.target_modules is None:
            head = self.model.get_output_embeddings()
            found = {name for name, part in self.model.named_modules() if part is not head and _takes_bias(part)}
            peft_config.target_modules = sorted({name.rsplit(".", 1)[-1] for name in found})
        return peft_config

    def _create_and_replace(
        self,
        peft_config: BitFitConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        if target.bias is None:
            features = target.nf if isinstance(target, Conv1D) else target.out_features
            target.bias = nn.Parameter(torch.zeros(features, dtype=target.weight.dtype, device=target.weight.device))

    def _mark_only_adapters_as_trainable(self, model: nn.Module) -> None:
        targets = set(self.targeted_module_names)
        for name, parameter in model.named_parameters():
            module, _, kind = name.rpartition(".")
            parameter.requires_grad_(kind == self.prefix and module in targets)


def _takes_bias(module: nn.Module) -> bool:
    """A linear layer can be given a bias; a norm is taken where it has one already."""
    return isinstance(module, LINEAR) or getattr(module, "bias", None) is not None
