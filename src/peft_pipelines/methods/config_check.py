"""Checks of a method row's config against the library's config class and the model."""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.size_check import check_counts, training_bytes
from peft_pipelines.methods.type_check import typed, types_of

C = TypeVar("C")

NAMING = {
    "target_modules": "target module",
    "exclude_modules": "module to exclude",
    "modules_to_save": "module to save",
}
"""Fields of the libraries that name modules by the last parts of their names, and what an error calls such a module."""
PATTERNS = ("rank_pattern", "alpha_pattern")
"""Fields whose keys are patterns of modules' names."""
SCALES = ("lora_alpha", "alpha", "scaling")


def build(config_class: Callable[..., C], allowed: Iterable[str], method: MethodSpec, **fixed: Any) -> C:
    """Return an instance of the config class, made from the row.

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
        made = config_class(**values, **fixed)
    except (TypeError, ValueError, AssertionError) as error:
        raise ConfigError(f"{where}: {one_line(error)}") from None
    check_counts(method, config_class)
    return made


def check_targets(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Raise ConfigError for a name that is no part of the model, which the libraries ignore beside a right one."""
    names = [name for name, _ in skeleton.named_modules()]
    where = f"method '{method.name}' on model type '{skeleton.config.model_type}'"
    for field, word in NAMING.items():
        value = method.config.get(field)
        if isinstance(value, str):
            _pattern(f"{where}, {field}", value)
        for target in value if isinstance(value, list) else []:
            if not any(name == target or name.endswith(f".{target}") for name in names):
                raise unknown(where, word, target, linear_modules(skeleton))
    known = [name for name, _ in skeleton.named_parameters()]
    for target in method.config.get("target_parameters") or []:
        if not any(name == target or name.endswith(f".{target}") for name in known):
            raise unknown(where, "target parameter", target, dict.fromkeys(".".join(n.split(".")[-2:]) for n in known))
    for field in PATTERNS:
        for pattern in method.config.get(field) or {}:
            found = _pattern(f"{where}, {field}", rf"(.*\.)?({pattern})$")
            if not any(found.match(name) for name in names):
                raise unknown(where, f"module in {field}", pattern, linear_modules(skeleton))
    depth, chosen = skeleton.config.num_hidden_layers, method.config.get("layers_to_transform")
    for layer in chosen if isinstance(chosen, list) else [] if chosen is None else [chosen]:
        if not 0 <= layer < depth:
            raise ConfigError(f"{where}: layers_to_transform must be from 0 to {depth - 1}, got {layer}")


def _pattern(where: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{where}: must be a regular expression, got '{pattern:.80}': {error}") from None


def check_trains(method: MethodSpec, attached: nn.Module) -> int:
    """Return the bytes of what an attached method trains (``size_check.training_bytes``).

    Raises:
        ConfigError: nothing would be trained, or nothing could come of it.
    """
    where = f"method '{method.name}', config"
    for name in SCALES:
        if method.config.get(name) == 0:
            raise ConfigError(f"{where}: {name} must not be 0: it multiplies what is trained")
    if not any(parameter.requires_grad for parameter in attached.parameters()):
        raise ConfigError(f"{where}: leaves nothing to train")
    return training_bytes(method, attached)


def common_divisors(skeleton: PreTrainedModel, targets: object) -> list[int]:
    """Return the block sizes that divide the inputs and outputs of all targeted linear layers.

    A list of names picks the targets; anything else stands for all linear layers but the output head.
    """
    head = skeleton.get_output_embeddings()
    parts = {name: part for name, part in skeleton.named_modules() if isinstance(part, nn.Linear) and part is not head}
    if isinstance(targets, list):
        parts = {name: part for name, part in parts.items() if name.rsplit(".", 1)[-1] in targets}
    common = math.gcd(*(size for part in parts.values() for size in (part.in_features, part.out_features)))
    return [size for size in range(1, common + 1) if common % size == 0]


def linear_modules(skeleton: PreTrainedModel) -> list[str]:
    """Return the last parts of the names of the model's linear layers, sorted."""
    found = {name for name, part in skeleton.named_modules() if isinstance(part, (nn.Linear, Conv1D))}
    return sorted({name.rsplit(".", 1)[-1] for name in found})


def dataclass_fields(config_class: Any) -> list[str]:
    """Return the names of the arguments of a dataclass."""
    return [field.name for field in dataclasses.fields(config_class) if field.init]


def one_line(error: BaseException) -> str:
    """Return an exception's message without line breaks."""
    message = error.args[0] if isinstance(error, KeyError) and error.args else error  # str() would quote it again
    return " ".join(str(message).split()) or type(error).__name__
