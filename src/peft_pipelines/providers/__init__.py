"""Libraries of tuning methods behind one contract: check, fingerprint, attach, save, load; detach is Attached's.

``attach`` and ``load`` are given a clone of the base model and may do to it what they like.
"""

from pathlib import Path
from types import ModuleType

import torch
from transformers import PreTrainedModel

from peft_pipelines.errors import unknown
from peft_pipelines.providers import adapters, custom, hf_peft, none
from peft_pipelines.providers.attached import Attached, own_trainables
from peft_pipelines.specs import MethodSpec

__all__ = ["PROVIDERS", "Attached", "attach", "check", "fingerprint", "load", "save"]

PROVIDERS: dict[str, ModuleType] = {"hf_peft": hf_peft, "adapters": adapters, "custom": custom, "none": none}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Raise ConfigError where the row cannot be attached to a model like ``skeleton`` (on the meta device).

    Found here, before any weights are read: an unknown provider, type or config field, targets that the model
    does not have.
    """
    _provider(method).check(method, skeleton)


def fingerprint(method: MethodSpec) -> str:
    """What, beside the row, decides what the method does: the library's version or the hash of its files."""
    return str(_provider(method).fingerprint(method))


def attach(clone: PreTrainedModel, method: MethodSpec, seed: int) -> Attached:
    """The method on a clone of the base, initialised by the seed, its trainable tensors in fp32 and its own."""
    clone.requires_grad_(False)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return own_trainables(_provider(method).attach(clone, method))


def save(attached: Attached, folder: Path) -> None:
    """Write the method's own tensors (safetensors) and its config into an existing folder."""
    _provider(attached.method).save(attached, folder)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path, *, trainable: bool = False) -> Attached:
    """The saved method on a clone of the base; frozen unless ``trainable``, to go on training."""
    clone.requires_grad_(False)
    with torch.random.fork_rng():
        attached = _provider(method).load(clone, method, folder)
    if trainable:
        return own_trainables(attached)
    attached.plain.requires_grad_(False)
    attached.plain.eval()
    return attached  # type: ignore[no-any-return]


def _provider(method: MethodSpec) -> ModuleType:
    if method.provider not in PROVIDERS:
        raise unknown(f"method '{method.name}'", "provider", method.provider, PROVIDERS)
    return PROVIDERS[method.provider]
