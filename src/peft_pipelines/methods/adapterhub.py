"""Methods of AdapterHub's ``adapters``. The library is imported only when a row asks for it."""

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods import peft_quirks
from peft_pipelines.methods.adapterhub_architectures import PLACES
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.config_check import build, check_trains, dataclass_fields, one_line

NAME = "method"
KINDS = {"packed_batches": "AdapterHub reads one mask, and the model's layers need masks of several kinds"}
NOT_FOR_ROWS = {"architecture"}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Build the config, add it to the skeleton, which has no weights, and return the bytes of what is trained."""
    config = _config(method)
    if method.quantization:
        raise ConfigError(
            f"method '{method.name}', quantization: must be null, got '{method.quantization}': the library builds its "
            "layers anew, and these hold plain weights"
        )
    _check_bottleneck(method, skeleton.config.hidden_size)
    try:
        model = _initialised(skeleton)
        model.add_adapter(NAME, config=config)
        model.train_adapter(NAME)
    except NotImplementedError as error:
        if "meta" not in str(error).lower():
            raise
        return 0  # it starts from the weights' values: what is not checked here shows when it is attached
    except Exception as error:  # the library raises all kinds of exceptions for mistakes in a row
        where = f"method '{method.name}' on model type '{skeleton.config.model_type}'"
        raise ConfigError(f"{where}: {one_line(error)}") from None
    return check_trains(method, model)


def _check_bottleneck(method: MethodSpec, width: int) -> None:
    """The library would make a bottleneck of one where a factor is larger than what it divides."""
    factor = method.config.get("reduction_factor")
    factors = factor.values() if isinstance(factor, dict) else [factor]
    for one in factors:
        if isinstance(one, int | float) and one > width:
            where = f"method '{method.name}', config, reduction_factor"
            raise ConfigError(f"{where}: must be at most {width}, the model's hidden size, got {one}")


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """Attach a new, untrained adapter."""
    model = _initialised(clone)
    model.add_adapter(NAME, config=_config(method))
    return _attached(model, method)


def save(attached: Attached, folder: Path) -> None:
    """Write the adapter into a folder, as the library's ``load_adapter`` reads it."""
    attached.handle.save_adapter(str(folder), NAME, with_head=False, use_safetensors=True)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """Attach the adapter in a folder, trainable."""
    model = _initialised(clone)
    model.load_adapter(str(folder), load_as=NAME, with_head=False, use_safetensors=True)
    return _attached(model, method)


def merge(attached: Attached) -> PreTrainedModel:
    """Raise ConfigError: the library's own merge silently leaves out what is not linear."""
    raise ConfigError(
        f"method '{attached.method.name}': cannot be merged: a bottleneck has an activation inside, which no weight of "
        "the base can hold"
    )


def _library() -> ModuleType:
    import adapters  # noqa: PLC0415  (heavy, and absent where transformers 5 is installed)

    library: ModuleType = adapters
    return library


def _config(method: MethodSpec) -> Any:
    configuration = _library().configuration
    types = {
        name: value
        for name, value in vars(configuration).items()
        if inspect.isclass(value) and issubclass(value, configuration.AdapterConfig) and is_dataclass(value)
    }
    if method.type not in types:
        raise unknown(f"method '{method.name}'", "type", method.type, sorted(types))
    peft_quirks.check_type(method)
    allowed = [name for name in dataclass_fields(types[method.type]) if name not in NOT_FOR_ROWS]
    return build(types[method.type], allowed, method)


def _initialised(clone: PreTrainedModel) -> PreTrainedModel:
    _library().init(clone, interface=_interface(clone.config))
    for module in clone.modules():
        if "past_key_value" in inspect.signature(module.forward).parameters:
            module.register_forward_pre_hook(_rename_cache, with_kwargs=True)
    if getattr(clone.base_model, "adapter_interface", None):
        _own_norms(clone.base_model)
    return clone


def _interface(config: PretrainedConfig) -> Any:
    """Return the places of bottlenecks in a model type that the library does not know; None for one that it knows.

    Raises:
        ValueError: the model type's norms stand behind its blocks, where the library finds no residual to add.
    """
    if config.model_type not in PLACES:
        return None
    if not getattr(config, "do_layer_norm_before", True):
        raise ValueError("its norms stand behind the residual sums, where the library cannot place a bottleneck")
    return _library().AdapterModelInterface(
        adapter_methods=["bottleneck"], layer_cross_attn=None, **PLACES[config.model_type]
    )


def _own_norms(base: Any) -> None:
    """Let each layer's bottleneck use that layer's own norms.

    The library finds them by a function that it makes in a loop over the layers: each of these looks into the loop's
    variable when it is called, so that all layers would use the norms of the last one.
    """
    places = base.adapter_interface
    find = import_module("adapters.utils").multigetattr
    around = (
        (f"{places.layer_self_attn}.{places.attn_o_proj}", places.layer_ln_1),
        (places.layer_output_proj, places.layer_ln_2),
    )
    for _, layer in base.iter_layers():
        for projection, norm in around:
            hooks = find(layer, projection)._forward_hooks
            for key, hook in hooks.items():
                if isinstance(hook, partial):
                    hooks[key] = partial(hook.func, hook.args[0], partial(find, layer, norm))


def _rename_cache(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Pass the cache under the name that the library's layers know.

    Its layers for Llama and Mistral take ``past_key_value``; transformers 4.57 passes ``past_key_values``, which
    they silently ignore, so that each generated token would see nothing before it.
    """
    if kwargs.get("past_key_values") is not None and kwargs.get("past_key_value") is None:
        kwargs = {**kwargs, "past_key_value": kwargs["past_key_values"]}
        del kwargs["past_key_values"]
    return args, kwargs


def _attached(model: PreTrainedModel, method: MethodSpec) -> Attached:
    model.adapter_to(NAME, device=model.device)  # the library makes it on the CPU, whatever the model is on
    model.train_adapter(NAME)
    dtype = next(value.dtype for value in model.parameters() if not value.requires_grad)
    if dtype != torch.float32:
        kind = import_module("adapters.methods.modeling").Adapter
        for part in [part for part in model.modules() if isinstance(part, kind)]:
            part.register_forward_pre_hook(_widen, with_kwargs=True)
            part.register_forward_hook(partial(_narrow, dtype))
    kinds = set(getattr(model.config, "layer_types", None) or ())
    return Attached(method, model, model, handle=model, refuses=KINDS if len(kinds) > 1 else {})


def _widen(
    module: nn.Module, args: tuple[torch.Tensor, ...], kwargs: dict[str, Any]
) -> tuple[tuple[torch.Tensor, ...], Mapping[str, Any]]:
    """Convert the hidden states of a half-precision model to the fp32 of a bottleneck."""
    residual = {"residual_input": kwargs["residual_input"].to(torch.float32)}
    return tuple(value.to(torch.float32) for value in args), {**kwargs, **residual}


def _narrow(
    dtype: torch.dtype, module: nn.Module, args: tuple[Any, ...], output: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, ...]:
    """Convert a bottleneck's output back to the model's precision."""
    return (output[0].to(dtype), *output[1:])
