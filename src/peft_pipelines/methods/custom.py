"""Custom methods: a ``PeftConfig`` and a ``BaseTuner`` of the author's own, in a folder or in an installed package.

A checkpoint holds what the method trains, and what it made and keeps frozen (a random projection, a rewritten weight):
all of its tensors that are neither the base's nor marked by the author as recomputable (``persistent=False``).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import peft_types
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.causal import check_causal
from peft_pipelines.methods.config_check import build, check_targets, check_trains, dataclass_fields, one_line
from peft_pipelines.methods.custom_adapted import ADAPTER, tune
from peft_pipelines.methods.custom_discovery import Discovered, discover, discover_in_package
from peft_pipelines.methods.identity import fingerprint

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
WRAPPED = "model."
"""A tuner's name for the model that it wraps."""
NOT_FOR_ROWS = frozenset(dataclass_fields(PeftConfig))


@dataclass(frozen=True)
class Tuned:
    """A tuner, the names of the frozen tensors that it made, and by their names the base's tensors that it copied."""

    tuner: BaseTuner
    made: frozenset[str]
    copied: dict[str, torch.Tensor]


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Discover, build the config, attach it to the skeleton, and return the bytes of what is trained.

    A tuner that reads weights to be attached cannot be tried there; an error of it shows when it is attached.
    """
    found = _discovered(method)
    config = _config(found, method)
    check_targets(method, skeleton)
    try:
        with torch.device("meta"):
            tuner = tune(skeleton, found.tuner, config)
    except Exception as error:  # an author's tuner may fail in any way; the message must name it
        if isinstance(error, RuntimeError) and "meta tensor" in str(error).lower():
            return 0
        where = f"{found.where} on model type '{skeleton.config.model_type}'"
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ConfigError(f"{where}: {kind}{one_line(error)}") from None
    return check_trains(method, tuner)


_causal: set[tuple[object, ...]] = set()
"""The files, the row and the kind of base of what has passed ``check_causal``."""


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """Attach a new, untrained instance of the method, whose answers are looked at once a process on each kind of base.

    Raises:
        ConfigError: its answers depend on tokens behind them, or on other rows of a batch.
    """
    originals = [value for _, value in _kept(clone)]
    base = {_memory(value) for value in originals}
    found = _discovered(method)
    tuner = tune(clone, found.tuner, _config(found, method))
    known = fingerprint(method), method.model_dump_json(), clone.config.model_type, clone.dtype, clone.device.type
    if known not in _causal:
        check_causal(found.where, tuner, clone.config.vocab_size, clone.dtype, clone.device)
        _causal.add(known)
    made = {name: value for name, value in _kept(tuner) if not value.requires_grad and _memory(value) not in base}
    return Attached(method, clone, tuner, handle=Tuned(tuner, frozenset(made), _copied(made, originals)))


def save(attached: Attached, folder: Path) -> None:
    """Write the method's own tensors, by their name in the model, and its config.

    A frozen copy of a tensor of the base is left out: it is made again when the method is attached.
    """
    copied = attached.handle.copied
    own = {name: value for name, value in _own(attached).items() if not _equal(value, copied.get(name))}
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in own.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    config = attached.handle.tuner.peft_config[ADAPTER]
    config.base_model_name_or_path = attached.core.name_or_path
    text = json.dumps(config.to_dict(), indent=2, sort_keys=True, default=sorted)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """Attach the instance in a folder, trainable.

    Raises:
        ConfigError: the folder's tensors are not those that the row makes, by name or shape.
    """
    attached = attach(clone, method)
    saved = load_file(folder / WEIGHTS)
    own = {name: value for name, value in _own(attached).items() if name in saved or name not in attached.handle.copied}
    shapes = [{(name, tuple(value.shape)) for name, value in part.items()} for part in (own, saved)]
    if shapes[0] != shapes[1]:
        differing = ", ".join(f"{name} {list(shape)}" for name, shape in sorted(shapes[0] ^ shapes[1])[:3])
        raise ConfigError(f"checkpoint '{folder.name}' of method '{method.name}': tensors do not match: {differing}")
    for name, value in own.items():
        value.data = saved[name].to(value.device)
    return attached


def merge(attached: Attached) -> PreTrainedModel:
    """Return the model with the method merged into its weights by the tuner's own ``merge_and_unload``.

    Raises:
        ConfigError: the tuner has no merge.
    """
    try:
        return attached.handle.tuner.merge_and_unload()
    except (NotImplementedError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"method '{attached.method.name}': cannot be merged: {one_line(error)}") from None


def _own(attached: Attached) -> dict[str, torch.Tensor]:
    """Tensors that are trained, and those that the method made and keeps frozen, each once."""
    made = attached.handle.made
    found = {
        id(value): (name, value) for name, value in _kept(attached.handle.tuner) if value.requires_grad or name in made
    }
    return dict(sorted(found.values(), key=lambda item: item[0]))


def _kept(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters and the buffers that a checkpoint may hold, by their names in the model that the tuner wraps."""
    for path, value in model.named_parameters():
        yield path.removeprefix(WRAPPED), value
    for place, module in model.named_modules():
        for name, value in module._buffers.items():
            if value is not None and name not in module._non_persistent_buffers_set:
                yield f"{place}.{name}".lstrip(".").removeprefix(WRAPPED), value


def _copied(made: dict[str, torch.Tensor], originals: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    """By the names of what a tuner made, the first of the base's tensors that it equals."""
    found = {name: next((one for one in originals if _equal(value, one)), None) for name, value in made.items()}
    return {name: one for name, one in found.items() if one is not None}


def _equal(value: torch.Tensor, other: torch.Tensor | None) -> bool:
    if other is None or any(getattr(value, name) != getattr(other, name) for name in ("shape", "dtype", "device")):
        return False
    starts = (one.flatten()[:8] for one in (value, other))  # tells most that differ, in no time
    return torch.equal(*starts) and torch.equal(value, other)


def _memory(value: torch.Tensor) -> tuple[int, int]:
    return value.untyped_storage().data_ptr(), value.numel()


def _discovered(method: MethodSpec) -> Discovered:
    """The tuner and its config's class, from one import of a folder: an author may compare their classes."""
    return discover_in_package(method) if method.package else discover(method.type)


def _config(found: Discovered, method: MethodSpec) -> PeftConfig:
    allowed = [name for name in dataclass_fields(found.config) if name not in NOT_FOR_ROWS]
    config = build(found.config, allowed, method, task_type="CAUSAL_LM")
    where = f"{found.where}: {found.config.__name__} in {found.config.__module__.rpartition('.')[2]}.py"
    if not config.peft_type:
        raise ConfigError(f"{where} has no peft_type")
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind in peft_types.own():
        raise ConfigError(f"{where}: peft_type must not be one of the library's own, got '{kind}'")
    return config
