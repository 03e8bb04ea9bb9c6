"""Libraries of tuning methods behind one contract: check, attach, save, load, merge; detach is Attached's.

``attach`` and ``load`` get a clone of the base model and may change it as they like.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType

import torch
from transformers import PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.method import UNTUNED
from peft_pipelines.methods import adapterhub, custom, full_finetuning, no_tuning, peft
from peft_pipelines.methods.attached import Attached, own_trainables
from peft_pipelines.methods.identity import check_provider
from peft_pipelines.methods.quantization import quantised

__all__ = ["PROVIDERS", "Attached", "attach", "check", "load", "merge", "save"]

PROVIDERS: dict[str, ModuleType] = {
    "hf_peft": peft,
    "adapters": adapterhub,
    "custom": custom,
    "weights": full_finetuning,
    UNTUNED: no_tuning,
}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Try a row on a model like ``skeleton`` (on the meta device).

    Returns:
        The least bytes of what would be trained, with gradients and the optimizer's averages; 0 where the weights must
        be read to know it.

    Raises:
        ConfigError: the row cannot be attached: an unknown provider, type or config field, targets that the model does
            not have.
    """
    check_provider(method)
    provider = PROVIDERS[method.provider]
    with torch.device("meta"):
        skeleton = quantised(skeleton, method)
    trained: int = provider.check(method, skeleton)
    return trained


def attach(clone: PreTrainedModel, method: MethodSpec, seed: int) -> Attached:
    """Attach a method that ``check`` has let through to a clone of the base, initialised by the seed.

    Its trainable tensors are in fp32.

    Raises:
        ConfigError: the row leaves nothing to train.
    """
    clone.requires_grad_(False)
    with _own_draws(clone):
        torch.manual_seed(seed)
        clone = quantised(clone, method)
        base = frozenset(value.data_ptr() for value in clone.parameters())
        attached = own_trainables(PROVIDERS[method.provider].attach(clone, method))
        attached.base_memory = base
    if not attached.trainable() and method.provider != no_tuning.TYPE:
        raise ConfigError(f"method '{method.name}', config: leaves nothing to train")
    return attached


def _own_draws(clone: PreTrainedModel) -> AbstractContextManager[None]:
    """Let what is drawn in a block, on the CPU and the model's GPU, change no later draw.

    Without a list of devices each GPU of the machine would get a context, of half a gigabyte.
    """
    return torch.random.fork_rng([clone.device] if clone.device.type == "cuda" else [])


def save(attached: Attached, folder: Path) -> None:
    """Write the method's own tensors (safetensors) and its config into an existing folder."""
    PROVIDERS[attached.method.provider].save(attached, folder)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path, *, trainable: bool = False) -> Attached:
    """Attach the method in a folder to a clone of the base; frozen unless ``trainable``, to go on training.

    Raises:
        ConfigError: the row's provider is unknown, or its library is not installed.
    """
    check_provider(method)
    clone.requires_grad_(False)
    with _own_draws(clone):
        attached = PROVIDERS[method.provider].load(quantised(clone, method), method, folder)
    if trainable:
        return own_trainables(attached)
    attached.plain.requires_grad_(False)
    attached.plain.eval()
    return attached  # type: ignore[no-any-return]


def merge(attached: Attached) -> PreTrainedModel:
    """Return a model of the plain architecture with the method merged into its weights.

    The method's clone must own its memory, since weights are changed in place.

    Raises:
        ConfigError: the method cannot be merged; the message says why.
    """
    merged: PreTrainedModel = PROVIDERS[attached.method.provider].merge(attached)
    return merged
