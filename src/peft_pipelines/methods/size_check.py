"""Sizes of a method: what its row counts is one at least, and the memory that is taken by what it trains."""

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

_COUNTS: Final = re.compile(r"r|rank|(num|init|target)_\w+|\w+_(size|layers|factor|dim|heads|rank)")
"""Names of fields that count something."""
WEIGHT, GRADIENT, STATE = 4, 4, 12
"""Bytes of a number in single precision, of its gradient, and of that with the optimizer's two averages."""


def check_counts(method: MethodSpec, config_class: Any) -> None:
    """Raise ConfigError for a field that counts and is below one, unless this is what the library has by default."""
    fields = dataclasses.fields(config_class) if dataclasses.is_dataclass(config_class) else ()
    defaults = {field.name: field.default for field in fields}
    for name, value in method.config.items():
        counts = _COUNTS.fullmatch(name) and isinstance(value, int | float) and not isinstance(value, bool)
        if counts and value <= 0 and value != defaults.get(name):
            raise ConfigError(f"method '{method.name}', config, {name}: must be 1 or more, got {value}")


def training_bytes(method: MethodSpec, attached: "nn.Module") -> int:
    """Return the least bytes of what is trained: its weights in single precision, and the state of their training.

    Of an optimizer of a row's own the gradients alone count.
    """
    trained = sum(value.numel() for value in attached.parameters() if value.requires_grad)
    usual = method.optimizer == MethodSpec.model_fields["optimizer"].default
    return (WEIGHT + (STATE if usual else GRADIENT)) * trained
