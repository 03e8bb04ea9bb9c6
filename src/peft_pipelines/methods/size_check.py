"""Checks of the sizes in a method row's config: what counts is one at least, and what is trained fits into memory."""

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

import psutil

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

_COUNTS: Final = re.compile(r"r|rank|(num|init|target)_\w+|\w+_(size|layers|factor|dim|heads|rank)")
"""Names of fields that count something."""
HALF, WEIGHT, GRADIENT, STATE = 2, 4, 4, 12
"""Bytes of a number in half and in single precision, of its gradient, and of that with the optimizer's two averages."""
_GB: Final = 1e9


def check_counts(method: MethodSpec, config_class: Any) -> None:
    """Raise ConfigError for a field that counts and is below one, unless this is what the library has by default."""
    fields = dataclasses.fields(config_class) if dataclasses.is_dataclass(config_class) else ()
    defaults = {field.name: field.default for field in fields}
    for name, value in method.config.items():
        counts = _COUNTS.fullmatch(name) and isinstance(value, int | float) and not isinstance(value, bool)
        if counts and value <= 0 and value != defaults.get(name):
            raise ConfigError(f"method '{method.name}', config, {name}: must be 1 or more, got {value}")


def check_fits(method: MethodSpec, attached: "nn.Module") -> None:
    """Raise ConfigError where the parameters and the state of their training are more than the memory for them.

    That is the GPU's where there is one, else the machine's. It is the least that can be: a base in half precision, and
    of an optimizer of a row's own the gradients alone.
    """
    trained = sum(value.numel() for value in attached.parameters() if value.requires_grad)
    frozen = [value for value in attached.parameters() if not value.requires_grad]
    base = sum(value.numel() * min(HALF, value.element_size()) for value in frozen)
    usual = method.optimizer == MethodSpec.model_fields["optimizer"].default
    needed = base + (WEIGHT + (STATE if usual else GRADIENT)) * trained
    what, there = _memory()
    if needed > there:
        sizes = {name: value for name, value in method.config.items() if type(value) is int}
        largest = max(sizes, key=lambda name: sizes[name], default="")
        shown = f", {largest}: must be smaller, got {sizes[largest]}" if largest else ""
        raise ConfigError(
            f"method '{method.name}', config{shown}: training would take {needed / _GB:.0f} GB at least, "
            f"{what} has {there / _GB:.0f}"
        )


def _memory() -> tuple[str, int]:
    """Bytes of what a model is trained in, with its name."""
    import torch  # noqa: PLC0415  (loaded already: there is a model)

    if torch.cuda.is_available():
        return "this GPU", torch.cuda.get_device_properties(0).total_memory
    return "this machine", psutil.virtual_memory().total
