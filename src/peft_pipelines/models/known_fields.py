"""The fields that a config may have: those that the library's classes of the model know, and no others reach them."""

import inspect
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING

ALWAYS = (
    *("model_type", "architectures", "dtype", "torch_dtype", "transformers_version"),
    *("rope_scaling", "rope_theta", "rope_parameters"),
)
TAKEN = re.compile(r"kwargs\.(?:get|pop)\(\s*[\"'](\w+)")
ASKED = re.compile(r"config\.(\w+)|getattr\((?:self\.)?config,\s*[\"'](\w+)")


@cache
def known_fields(model_type: str) -> frozenset[str]:
    """Return the names of the fields that the config of a model has, takes, or that the model's code asks it for."""
    config = CONFIG_MAPPING[model_type]
    names = {*ALWAYS, *config.attribute_map, *config().to_dict()}
    for base in config.__mro__:
        if base.__module__.startswith("transformers."):
            names |= {*inspect.signature(base.__init__).parameters, *TAKEN.findall(_source(base.__init__))}
    code = config.__module__.replace(".configuration_", ".modeling_")
    module = find_spec(code)
    asked = ASKED.findall(Path(module.origin).read_text(encoding="utf-8")) if module and module.origin else []
    return frozenset(names | {name for pair in asked for name in pair if name}) - {"self", "args", "kwargs"}


def _source(of: Any) -> str:
    """The text of a function; empty for one that is made while the program runs."""
    try:
        return inspect.getsource(of)
    except (OSError, TypeError):
        return ""
