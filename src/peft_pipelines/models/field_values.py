"""The values of the fields of config.json: each of its default's kind, and in a range that a model can have."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from transformers import PretrainedConfig
from transformers.activations import ACT2FN
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from peft_pipelines.config.errors import ConfigError

LARGEST, MOST_LAYERS, MOST_EXPERTS = 10**8, 10_000, 20_000
"""What larger numbers in a config would cost is an endless start, no model."""

SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
"""Fields that are 1 or more in every model that has them, whatever its config calls them."""

OPTIONAL_SIZES = ("num_key_value_heads", "head_dim", "intermediate_size", "sliding_window")
"""Likewise, but some models do without; those below may be null whatever their default is."""

NULLABLE = ("num_key_value_heads", "head_dim", "sliding_window")
ROPES = ("default", "mrope", "su", *ROPE_INIT_FUNCTIONS)
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def check_value(name: str, value: Any, usual: PretrainedConfig, where: str) -> None:
    """Raise ConfigError where a field's value is not of the kind or in the range of the field.

    Args:
        name: the field's name.
        value: what JSON holds.
        usual: the config of the same model with defaults only.
        where: names the file, for errors.
    """
    default = getattr(usual, name, None)
    wanted = None if value == default and type(value) is type(default) else _wanted(name, value, default, usual)
    if wanted:
        raise ConfigError(f"{where}: {name} must be {wanted}, got {value!r:.80}")
    endless = [number for number in _numbers(value) if not math.isfinite(number) and number not in _numbers(default)]
    if endless:
        raise ConfigError(f"{where}: {name} must hold finite numbers, got {endless[0]}")


def _wanted(name: str, value: Any, default: Any, usual: PretrainedConfig) -> str | None:
    """What a field must be where it is not; None for a sound one."""
    if name in ("dtype", "torch_dtype"):
        sound = value in (None, "auto") or (isinstance(value, str) and getattr(torch, value, None) in FLOATS)
        return None if sound else "float32, bfloat16, float16 or float64"
    ids = name.endswith("_token_id")
    if not fits(value, default, ids=ids):
        return "a whole number or a list of them" if ids else _kind(default)
    if name == "pruned_heads":
        return "empty, only whole models are read" if value else None
    if name in ("rope_scaling", "rope_parameters") and value is not None:
        return _wanted_of_rope(value)
    if name.endswith(("_act", "_activation", "activation_function")) and isinstance(default, str):
        return None if value in ACT2FN else f"an activation such as {', '.join(sorted(ACT2FN)[:3])}"
    return _wanted_of_whole(name, value, default, usual) or _wanted_of_fraction(name, value, default)


def _wanted_of_whole(name: str, value: Any, default: Any, usual: PretrainedConfig) -> str | None:
    generic = {own: known for known, own in type(usual).attribute_map.items()}.get(name, name)
    whole = isinstance(value, int) and not isinstance(value, bool)
    counts = name.startswith(("n_", "num_", "moe_num_"))
    largest = MOST_LAYERS if counts and "layer" in name else MOST_EXPERTS if counts and "expert" in name else LARGEST
    if whole and value > largest:
        return f"at most {largest}"
    if generic in SIZES + OPTIONAL_SIZES and (isinstance(default, int) or generic in OPTIONAL_SIZES):
        missing = value is None and default is not None and generic not in NULLABLE
        return "a whole number from 1" if missing or (whole and value < 1) else None
    negative = whole and value < 0 and isinstance(default, int) and default >= 0
    return "a whole number from 0" if negative and not name.endswith("_token_id") else None


def _wanted_of_fraction(name: str, value: Any, default: Any) -> str | None:
    if not isinstance(default, float):
        return None
    if "eps" in name and not (value is not None and 0 <= value < 1):
        return "a number from 0 to 1"
    if name == "rope_theta" and not (value is not None and value > 0):
        return "a number above 0"
    if "init" in name and value is not None and value < 0:
        return "a number from 0"
    return "a number from 0 to 1" if "drop" in name and value is not None and not 0 <= value <= 1 else None


def _wanted_of_rope(value: Any) -> str | None:
    """Positions are stretched by a factor of 1 or more; of two lists of factors each has one for a pair of columns."""
    if not isinstance(value, dict):
        return "an object"
    kind = value.get("rope_type", value.get("type", "default"))
    if kind not in ROPES and not all(isinstance(inner, dict) for inner in value.values()):
        return f"of rope_type {', '.join(sorted({*ROPES}))}"
    factor = value.get("factor", 1)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor >= 1 or factor > LARGEST:
        return f"with a factor from 1 to {LARGEST}"
    short, long = value.get("short_factor"), value.get("long_factor")
    same = not (isinstance(short, list) and isinstance(long, list)) or len(short) == len(long)
    return None if same else "with a short_factor and a long_factor of one length"


def _numbers(value: Any) -> Iterator[float]:
    """The fractions in a value, at any depth."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        yield from (number for inner in value.values() for number in _numbers(inner))
    elif isinstance(value, list | tuple):
        yield from (number for inner in value for number in _numbers(inner))


def fits(value: Any, default: Any, *, ids: bool) -> bool:
    """Whether a value is of its default's kind; where that is None, or the value is, nothing is known."""
    if ids and value is not None:
        whole = value if isinstance(value, list) else [value]
        return all(isinstance(one, int) and not isinstance(one, bool) for one in whole)
    if value is None or default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int) or (isinstance(default, float) and isinstance(value, float))
    return not isinstance(default, str | list | dict) or isinstance(value, type(default))


def _kind(default: Any) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a word", dict: "an object"}
    return kinds.get(type(default), "a list" if isinstance(default, list) else "a finite number")
