"""The config that config.json makes: a causal language model that the library has, each field of its usual kind."""

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import transformers
from transformers import CONFIG_MAPPING, PretrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as MODELS

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.field_values import LARGEST, check_value
from peft_pipelines.models.fields import check_redirects, plain_fields, words
from peft_pipelines.models.folder import CONFIG
from peft_pipelines.models.known_fields import known_fields


def config_of(values: dict[str, Any], where: str) -> PretrainedConfig:
    """Return the config that the fields of config.json make, without those about running and drawing.

    Raises:
        ConfigError: the model is none of ``AutoModelForCausalLM``, or a field has no such value there.
    """
    where = f"{where}, {CONFIG}"
    check_redirects(values, where)
    kind = _model_type(values, where)
    try:
        usual = CONFIG_MAPPING[kind]()
        for name, value in values.items():
            _check_field(name, value, usual, where)
        _check_names(values, usual, where)
        found: PretrainedConfig = CONFIG_MAPPING[kind].from_dict(plain_fields(values))
    except ConfigError:
        raise
    except Exception as error:  # the library computes with the values: whatever that meets is the file's fault
        raise ConfigError(f"{where}: no config of a '{kind}' model: {words(error)}") from None
    _check_together(found, usual, values, where)
    return found


def _check_together(config: PretrainedConfig, usual: PretrainedConfig, values: dict[str, Any], where: str) -> None:
    """Refuse numbers that make no model together, of which a library would say no more than a tensor's shape."""
    text = config.get_text_config()
    names = ("vocab_size", "pad_token_id", "hidden_size", "num_attention_heads", "num_key_value_heads")
    found = {name: value for name in names if type(value := getattr(text, name, None)) is int}
    rows, pad = found.get("vocab_size", LARGEST), found.get("pad_token_id", 0)
    width, heads = found.get("hidden_size", 0), found.get("num_attention_heads", 1)
    groups = found.get("num_key_value_heads", 1)
    if config.is_encoder_decoder:
        raise ConfigError(f"{where}: is_encoder_decoder must be false, got true; only decoders are read")
    if pad >= rows:
        raise ConfigError(f"{where}: pad_token_id must be below vocab_size {rows}, got {pad}")
    if width % heads and not values.get("head_dim") and not usual.hidden_size % usual.num_attention_heads:
        raise ConfigError(f"{where}: num_attention_heads must divide hidden_size {width}, got {heads}")
    if heads % groups:
        raise ConfigError(f"{where}: num_key_value_heads must divide num_attention_heads {heads}, got {groups}")


def check_causal(config: PretrainedConfig, model: type[PreTrainedModel], where: str) -> None:
    """Raise ConfigError for a model that sees both ways: an encoder whose head is not told to look back only."""
    if not config.is_decoder and "is_decoder=True" in inspect.getsource(model):
        raise ConfigError(
            f"{where}, {CONFIG}: is_decoder must be true, got false: {model.__name__} would see the words to come"
        )


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
    if callable(getattr(usual, name, None)) or name in ("attribute_map", "sub_configs"):
        raise ConfigError(f"{where}: '{name}' is no field of a config")
    if name in known_fields(usual.model_type):  # others do not reach the library
        check_value(name, value, usual, where)


def _check_names(values: Iterable[str], usual: PretrainedConfig, where: str) -> None:
    """Refuse a field that the config does not take and that is nearly one that it has: its default would be taken."""
    known = {*usual.to_dict(), *type(usual).attribute_map}
    for name in sorted(set(values) - known - known_fields(usual.model_type)):
        close = get_close_matches(name, known - set(values), n=1, cutoff=0.92)
        if close and not hasattr(usual, name):
            raise ConfigError(f"{where}: unknown field '{name}', did you mean '{close[0]}'?")
