"""The config that config.json makes: a causal language model that the library has, each field of its usual kind."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import torch
import transformers
from transformers import CONFIG_MAPPING, PretrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as MODELS

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.fields import check_redirects, plain_fields, words
from peft_pipelines.models.folder import CONFIG

LARGEST, MOST_LAYERS, MOST_EXPERTS = 10**8, 10_000, 4096
"""What larger numbers in a config would cost is an endless start, no model."""


def config_of(values: dict[str, Any], where: str) -> PretrainedConfig:
    """Return the config that the fields of config.json make, without those about running and drawing.

    Raises:
        ConfigError: the model is none of ``AutoModelForCausalLM``, or a field has no such value there.
    """
    where = f"{where}, {CONFIG}"
    check_redirects(values, where)
    kind = _model_type(values, where)
    usual = CONFIG_MAPPING[kind]()
    for name, value in values.items():
        _check_field(name, value, usual, where)
    _check_names(values, usual, where)
    try:
        return CONFIG_MAPPING[kind].from_dict(plain_fields(values))
    except Exception as error:  # the library computes with the values: whatever that meets is the file's fault
        raise ConfigError(f"{where}: no config of a '{kind}' model: {words(error)}") from None


def _model_type(values: dict[str, Any], where: str) -> str:
    kind, classes = values.get("model_type"), values.get("architectures")
    if not isinstance(kind, str) or kind not in MODELS:
        close = get_close_matches(str(kind), MODELS, n=1)
        raise ConfigError(
            f"{where}: model_type must be a causal language model of transformers {transformers.__version__}, such as "
            f"{close[0] if close else 'llama'}, got {kind!r:.80}"
        )
    allowed = (MODELS[kind],) if isinstance(MODELS[kind], str) else tuple(MODELS[kind])
    if classes is not None and not (isinstance(classes, list) and any(name in classes for name in allowed)):
        raise ConfigError(
            f"{where}: architectures of model_type '{kind}' must be [{' or '.join(allowed)}], got {classes!r:.120}"
        )
    return kind


def _check_field(name: str, value: Any, usual: PretrainedConfig, where: str) -> None:
    default = getattr(usual, name, None)
    if callable(default) or name in ("attribute_map", "sub_configs"):
        raise ConfigError(f"{where}: '{name}' is no field of a config")
    if name in ("dtype", "torch_dtype") and value not in (None, "auto"):
        if not (isinstance(value, str) and isinstance(getattr(torch, value, None), torch.dtype)):
            raise ConfigError(f"{where}: {name} must be a precision such as float32 or bfloat16, got {value!r:.80}")
    elif not _fits(value, default, ids=name.endswith("_token_id")):
        raise ConfigError(f"{where}: {name} must be {_kind(default)}, got {value!r:.80}")
    largest = MOST_LAYERS if name.endswith(("layer", "layers")) else MOST_EXPERTS if "expert" in name else LARGEST
    if isinstance(value, int) and value > largest:
        raise ConfigError(f"{where}: {name} must be at most {largest}, got {value}")


def _fits(value: Any, default: Any, *, ids: bool) -> bool:
    """Whether a value is of its default's kind; where that is None, or the value is, nothing is known."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if value is None or default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int):
        whole = value if ids and isinstance(value, list) else [value]
        return all(isinstance(one, int) and not isinstance(one, bool) for one in whole)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return not isinstance(default, str | list | dict) or isinstance(value, type(default))


def _kind(default: Any) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a word", dict: "an object"}
    return kinds.get(type(default), "a list" if isinstance(default, list) else "a finite number")


def _check_names(values: Iterable[str], usual: PretrainedConfig, where: str) -> None:
    """Refuse a field that the config does not have and that is nearly one that it has: its default would be taken."""
    known = {*usual.to_dict(), *type(usual).attribute_map}
    for name in sorted(set(values) - known):
        close = get_close_matches(name, known - set(values), n=1, cutoff=0.92)
        if close and not hasattr(usual, name):
            raise ConfigError(f"{where}: unknown field '{name}', did you mean '{close[0]}'?")
