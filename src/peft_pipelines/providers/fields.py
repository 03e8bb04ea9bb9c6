"""Checking a method row's config against the library's own config class."""

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.providers.values import typed, types_of
from peft_pipelines.specs import MethodSpec

C = TypeVar("C")


def build(config_class: Callable[..., C], allowed: Iterable[str], method: MethodSpec, **fixed: Any) -> C:
    """An instance of the config class from the row.

    Raises:
        ConfigError: a field is unknown, is not for a row to set, has a value of another type than the class says, or
            the class refuses a value.
    """
    where = f"method '{method.name}', config"
    names = [name for name in allowed if name not in fixed]
    for name in method.config:
        if name not in names:
            raise unknown(where, "field", name, names)
    types = types_of(config_class)
    values = {name: typed(f"{where}, {name}", value, types.get(name, Any)) for name, value in method.config.items()}
    try:
        return config_class(**values, **fixed)
    except (TypeError, ValueError, AssertionError) as fault:
        raise ConfigError(f"{where}: {one_line(fault)}") from None


def check_targets(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Refuse a target that is no module of the model: beside a right one, the libraries pass over it silently."""
    names = [name for name, _ in skeleton.named_modules()]
    targets = method.config.get("target_modules")
    for target in targets if isinstance(targets, list) else []:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            where = f"method '{method.name}' on model type '{skeleton.config.model_type}'"
            raise unknown(where, "target module", target, linear_modules(skeleton))


def common_divisors(skeleton: PreTrainedModel, targets: object) -> list[int]:
    """The block sizes that divide the inputs and outputs of all linear layers that are targets, or of all but the head.

    A list of names picks the targets; anything else stands for all layers.
    """
    head = skeleton.get_output_embeddings()
    parts = {name: part for name, part in skeleton.named_modules() if isinstance(part, nn.Linear) and part is not head}
    if isinstance(targets, list):
        parts = {name: part for name, part in parts.items() if name.rsplit(".", 1)[-1] in targets}
    common = math.gcd(*(size for part in parts.values() for size in (part.in_features, part.out_features)))
    return [size for size in range(1, common + 1) if common % size == 0]


def linear_modules(skeleton: PreTrainedModel) -> list[str]:
    """The last parts of the names of the model's linear layers."""
    found = {name for name, part in skeleton.named_modules() if isinstance(part, (nn.Linear, Conv1D))}
    return sorted({name.rsplit(".", 1)[-1] for name in found})


def dataclass_fields(config_class: Any) -> list[str]:
    """The names that a dataclass takes."""
    return [field.name for field in dataclasses.fields(config_class) if field.init]


def one_line(fault: BaseException) -> str:
    """An exception's message without line breaks."""
    return " ".join(str(fault).split()) or type(fault).__name__
