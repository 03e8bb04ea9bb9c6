"""Methods of AdapterHub's ``adapters``. The library is imported only when a row asks for it."""

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.providers.attached import Attached
from peft_pipelines.providers.fields import build, dataclass_fields, one_line
from peft_pipelines.specs import MethodSpec

NAME = "method"
NOT_FOR_ROWS = {"architecture"}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Build the config and add it to the skeleton, which has the model's modules but no weights."""
    config = _config(method)
    try:
        _initialised(skeleton).add_adapter(NAME, config=config)
    except (TypeError, ValueError, AttributeError) as fault:
        where = f"method '{method.name}' on model type '{skeleton.config.model_type}'"
        raise ConfigError(f"{where}: {one_line(fault)}") from None


def fingerprint(method: MethodSpec) -> str:
    """The library's release."""
    return f"adapters {version('adapters')}"


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """A new, untrained adapter."""
    model = _initialised(clone)
    model.add_adapter(NAME, config=_config(method))
    return _attached(model, method)


def save(attached: Attached, folder: Path) -> None:
    """As ``load_adapter`` reads it."""
    attached.handle.save_adapter(str(folder), NAME, with_head=False, use_safetensors=True)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """The saved adapter, trainable."""
    model = _initialised(clone)
    model.load_adapter(str(folder), load_as=NAME, with_head=False, use_safetensors=True)
    return _attached(model, method)


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
    allowed = [name for name in dataclass_fields(types[method.type]) if name not in NOT_FOR_ROWS]
    return build(types[method.type], allowed, method)


def _initialised(clone: PreTrainedModel) -> PreTrainedModel:
    _library().init(clone)
    for module in clone.modules():
        if "past_key_value" in inspect.signature(module.forward).parameters:
            module.register_forward_pre_hook(_rename_cache, with_kwargs=True)
    return clone


def _rename_cache(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Hand the cache over by the name that the library's layers know.

    Its layers for Llama and Mistral take ``past_key_value``; transformers 4.57 passes ``past_key_values``, which
    they ignore without a word, so that each generated token would see nothing before it.
    """
    if kwargs.get("past_key_values") is not None and kwargs.get("past_key_value") is None:
        kwargs = {**kwargs, "past_key_value": kwargs["past_key_values"]}
        del kwargs["past_key_values"]
    return args, kwargs


def _attached(model: PreTrainedModel, method: MethodSpec) -> Attached:
    model.train_adapter(NAME)
    return Attached(method, model, model, handle=model)
