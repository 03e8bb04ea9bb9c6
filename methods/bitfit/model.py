"""BitFit: training of the bias vectors alone; a layer without one gets zeros, which change nothing at the start."""

import copy
from functools import partial
from typing import Any, ClassVar

import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import nn
from torch.nn.functional import layer_norm
from transformers.pytorch_utils import Conv1D

from .config import BitFitConfig

LINEAR = (nn.Linear, Conv1D)


class BitFitModel(BaseTuner):
    """Tuner that adds and trains ``bias`` parameters in place; no layer is replaced."""

    prefix = "bias"
    tuner_layer_cls = BaseTunerLayer
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}

    def _prepare_adapter_config(self, peft_config: BitFitConfig, model_config: dict[str, Any]) -> BitFitConfig:
        if peft_config.target_modules is None:
            head = self.model.get_output_embeddings()
            names = {name for name, part in self.model.named_modules() if part is not head and _takes_bias(part)}
            peft_config.target_modules = sorted({name.rsplit(".", 1)[-1] for name in names})
        return peft_config

    def _create_and_replace(
        self, peft_config: BitFitConfig, adapter_name: str, target: nn.Module, *_: Any, current_key: str, **__: Any
    ) -> None:
        if not _takes_bias(target):
            raise ValueError(f"'{current_key}' can have no bias")
        if isinstance(target, nn.LayerNorm):
            target.forward = partial(_normed, target)
        if target.bias is None:
            features = target.nf if isinstance(target, Conv1D) else target.out_features
            target.bias = nn.Parameter(torch.zeros(features, dtype=self.model.dtype, device=target.weight.device))

    def _mark_only_adapters_as_trainable(self, model: nn.Module) -> None:
        targets = set(self.targeted_module_names)
        for name, parameter in model.named_parameters():
            module, _, kind = name.rpartition(".")
            parameter.requires_grad_(kind == self.prefix and module in targets)

    def merge_and_unload(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Return the model as it is, with a config that declares these biases.

        Raises:
            ValueError: the model's architecture has no place for a bias that was trained.
        """
        for name in self.targeted_module_names:
            vars(self.model.get_submodule(name)).pop("forward", None)
        own = set(dict(self.model.named_parameters()))
        self.model.config = _declared(self.model, own)
        plain = _names(self.model, self.model.config)
        if own - plain:
            layers = sorted({name.split(".")[-2] for name in own - plain})
            raise ValueError(
                f"model type '{self.model.config.model_type}' has no place for a bias on {', '.join(layers)}"
            )
        for name in sorted(plain - own):  # a switch of the config goes for layers that were not trained as well
            layer = self.model.get_submodule(name.rpartition(".")[0])
            layer.bias = nn.Parameter(torch.zeros(layer.out_features, dtype=self.model.dtype, device=self.model.device))
        return super().merge_and_unload(*args, **kwargs)


def _normed(layer: nn.LayerNorm, states: torch.Tensor) -> torch.Tensor:
    """The norm in the precision of its bias, which is trained in fp32: a CPU takes no mixture of precisions here."""
    weight = layer.weight.to(layer.bias.dtype)
    normed = layer_norm(states.to(layer.bias.dtype), layer.normalized_shape, weight, layer.bias, layer.eps)
    return normed.to(states.dtype)


def _declared(model: nn.Module, own: set[str]) -> Any:
    """The model's config with each switch on that gives a place to a parameter of ``own`` which has none yet."""
    config = model.config
    for switch in [key for key, value in vars(config).items() if key.endswith("bias") and value is False]:
        switched = copy.deepcopy(config)
        setattr(switched, switch, True)
        if own & (_names(model, switched) - _names(model, config)):
            config = switched
    return config


def _names(model: nn.Module, config: Any) -> set[str]:
    """The parameters of a model of the same class with this config."""
    with torch.device("meta"):
        return set(dict(type(model)(config).named_parameters()))


def _takes_bias(module: nn.Module) -> bool:
    """Whether a layer can have a bias: each linear one, and a norm that has one already."""
    return isinstance(module, LINEAR) or isinstance(getattr(module, "bias", None), nn.Parameter)
