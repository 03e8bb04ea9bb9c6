"""Packages that bring tuning methods, written into a folder as pip would install them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from peft_pipelines.methods import peft_types

CONFIG = """
from dataclasses import dataclass, field
from peft import PeftConfig
from peft.utils import PeftType

@dataclass
class TiltConfig(PeftConfig):
    rank: int = field(default=2, metadata={"help": "inner width"})
    target_modules: list[str] | str | None = None
    exclude_modules: list[str] | str | None = None

    def __post_init__(self):
        super().__post_init__()
        self.peft_type = PeftType.TILT
"""
MODEL = """
import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import nn

class TiltLayer(nn.Module, BaseTunerLayer):
    adapter_layer_names = ("tilt_down", "tilt_up")

    def __init__(self, base_layer, adapter_name, config):
        super().__init__()
        self.base_layer = base_layer
        self.tilt_down = nn.ParameterDict({adapter_name: torch.randn(config.rank, base_layer.in_features)})
        self.tilt_up = nn.ParameterDict({adapter_name: torch.zeros(base_layer.out_features, config.rank)})

    def set_adapter(self, adapter_names):
        self._active_adapter = adapter_names

    def forward(self, x, *args, **kwargs):
        name = self.active_adapters[0]
        return self.base_layer(x) + x.to(torch.float32) @ self.tilt_down[name].T @ self.tilt_up[name].T

class TiltModel(BaseTuner):
    prefix = "tilt_"

    def _prepare_adapter_config(self, peft_config, model_config):
        peft_config.target_modules = peft_config.target_modules or "all-linear"
        return peft_config

    def _create_and_replace(self, config, adapter_name, target, target_name, parent, current_key):
        self._replace_module(parent, target_name, TiltLayer(target, adapter_name, config), target)

    def set_adapter(self, adapter_name):
        for module in self.model.modules():
            if isinstance(module, TiltLayer):
                module.set_adapter(adapter_name)
        self.active_adapter = adapter_name
"""
"""A tuner written against a release of the library that passes fewer arguments and asks for fewer attributes."""

REGISTERING = """
from peft.utils import register_peft_method
from .config import TiltConfig
from .model import TiltModel

register_peft_method(name="tilt", config_cls=TiltConfig, model_cls=TiltModel)
"""
SHOWING = """
from peft import LoraConfig
from .config import TiltConfig
from .model import TiltModel
"""
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"


def write(place: Path, name: str, start: str, *, version: str = "1.0", requires: str = "peft>=0.13") -> Path:
    """Write a package of the two files and ``start`` as its ``__init__.py``; return the folder of its module."""
    module = place / name.replace("-", "_")
    module.mkdir(parents=True, exist_ok=True)
    for file, text in (("__init__.py", start), ("config.py", CONFIG), ("model.py", MODEL)):
        (module / file).write_text(text)
    about = place / f"{module.name}-{version}.dist-info"
    about.mkdir()
    lines = f"Requires-Dist: {requires}\n" if requires else ""
    (about / "METADATA").write_text(METADATA.format(name=name, version=version, requires=lines))
    (about / "RECORD").write_text("".join(f"{module.name}/{path.name},,\n" for path in sorted(module.iterdir())))
    return module


@contextmanager
def installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages that this process finds; what was imported from it is forgotten at the end."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(place))
    yield place
    for name in set(sys.modules) - before:
        if str(place) in str(getattr(sys.modules[name], "__file__", "")):
            peft_types.forget(name)
            del sys.modules[name]
