"""Drop-in methods: ``<folder>/<name>/{config,model}.py``, a ``PeftConfig`` and a ``BaseTuner`` of the author's own.

Discovery follows Algorithm 1 of the PEFT-Factory paper (Belanec et al. 2025), with one addition: only classes that
are *defined* in those files count, so an import of ``LoraConfig`` there is not taken for the method's own. The
folder is ``methods`` in the project, or what the environment variable ``PEFT_DIR`` names.
"""

import hashlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import peft
import torch
from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.providers.attached import Attached
from peft_pipelines.providers.fields import build, check_targets, dataclass_fields, one_line
from peft_pipelines.specs import MethodSpec

T = TypeVar("T")
ADAPTER = "default"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
NOT_FOR_ROWS = {"peft_type", "task_type", "inference_mode", "base_model_name_or_path", "auto_mapping", "peft_version"}


@dataclass(frozen=True)
class Discovered:
    """The two classes of a method's folder."""

    config: type[PeftConfig]
    tuner: type[BaseTuner]


def methods_folder() -> Path:
    """Where drop-in methods lie."""
    return Path(os.environ.get("PEFT_DIR", "methods"))


def names() -> list[str]:
    """The methods that the folder holds: each subfolder with a config.py and a model.py. Nothing is imported."""
    folders = methods_folder().glob("*")
    return sorted(path.name for path in folders if (path / "config.py").is_file() and (path / "model.py").is_file())


def discover(name: str) -> Discovered:
    """The classes of one method.

    Raises:
        ConfigError: there is no such folder, its code fails to import, it defines no or several fitting classes,
            the config has no ``peft_type`` or the tuner no ``prefix``.
    """
    folder = methods_folder() / name
    if name not in names():
        raise unknown(f"folder '{methods_folder()}'", "custom method", name, names())
    package = _package(folder)
    config = _defined(_module(package, folder, "config"), PeftConfig, folder)
    tuner = _defined(_module(package, folder, "model"), BaseTuner, folder)
    if not getattr(config, "peft_type", None):
        raise ConfigError(f"custom method folder '{folder}': {config.__name__} in config.py has no peft_type")
    if not getattr(tuner, "prefix", None):
        raise ConfigError(f"custom method folder '{folder}': {tuner.__name__} in model.py has no prefix")
    return Discovered(config, tuner)


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Discover, build the config, and attach it to the skeleton, which has the model's modules but no weights."""
    tuner, config = _configured(method)
    check_targets(method, skeleton)
    try:
        with torch.device("meta"):
            _tune(skeleton, tuner, config)
    except (TypeError, ValueError, AttributeError, KeyError) as fault:
        where = f"custom method folder '{methods_folder() / method.type}' on model type '{skeleton.config.model_type}'"
        raise ConfigError(f"{where}: {one_line(fault)}") from None


def fingerprint(method: MethodSpec) -> str:
    """The hash of the folder's files, and peft's release, which the tuner is built on."""
    digest = hashlib.sha256()
    folder = methods_folder() / method.type
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return f"peft {peft.__version__}, files {digest.hexdigest()}"


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """A new, untrained instance of the method."""
    tuner = _tune(clone, *_configured(method))
    return Attached(method, clone, tuner, handle=tuner)


def save(attached: Attached, folder: Path) -> None:
    """The tensors that are trained, by their name in the model, and the config."""
    tensors = {name: value.detach().contiguous().cpu() for name, value in _own(attached).items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    config = attached.handle.peft_config[ADAPTER]
    config.base_model_name_or_path = attached.core.name_or_path
    text = json.dumps(config.to_dict(), indent=2, sort_keys=True, default=sorted)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """The saved instance, trainable."""
    attached = attach(clone, method)
    own, saved = _own(attached), load_file(folder / WEIGHTS)
    if own.keys() != saved.keys():
        differing = ", ".join(sorted(own.keys() ^ saved.keys())[:3])
        raise ConfigError(f"checkpoint '{folder.name}' of method '{method.name}': tensors do not match: {differing}")
    for name, value in own.items():
        value.data = saved[name].to(value.device)
    return attached


def _own(attached: Attached) -> dict[str, torch.nn.Parameter]:
    return {name: value for name, value in attached.core.named_parameters() if value.requires_grad}


def _configured(method: MethodSpec) -> tuple[type[BaseTuner], PeftConfig]:
    """The tuner and its config, from one import of the folder: an author may compare their classes."""
    found = discover(method.type)
    allowed = [name for name in dataclass_fields(found.config) if name not in NOT_FOR_ROWS]
    return found.tuner, build(found.config, allowed, method, task_type="CAUSAL_LM")


def _tune(model: PreTrainedModel, tuner: type[BaseTuner], config: PeftConfig) -> BaseTuner:
    return tuner(model, {ADAPTER: config}, ADAPTER)


def _package(folder: Path) -> str:
    """A package for the folder, so that an author's relative imports work."""
    name = f"peft_pipelines_methods.{folder.name}"
    for part in ("peft_pipelines_methods", name):
        sys.modules[part] = ModuleType(part)
    sys.modules[name].__path__ = [str(folder)]
    for stale in [loaded for loaded in sys.modules if loaded.startswith(f"{name}.")]:
        del sys.modules[stale]
    return name


def _module(package: str, folder: Path, part: str) -> ModuleType:
    if f"{package}.{part}" in sys.modules:
        return sys.modules[f"{package}.{part}"]
    spec = importlib.util.spec_from_file_location(f"{package}.{part}", folder / f"{part}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:  # an author's file may fail in any way; the message must name it
        raise ConfigError(
            f"custom method folder '{folder}': {part}.py: {type(fault).__name__}: {one_line(fault)}"
        ) from fault
    return module


def _defined(module: ModuleType, base: type[T], folder: Path) -> type[T]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        file = f"{module.__name__.rsplit('.', 1)[-1]}.py"
        count = ", ".join(value.__name__ for value in found) or "none"
        raise ConfigError(
            f"custom method folder '{folder}': {file} must define one {base.__name__} subclass, got {count}"
        )
    return found[0]
