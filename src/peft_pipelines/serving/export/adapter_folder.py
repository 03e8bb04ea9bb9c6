"""The adapter of a cell as its own library reads it, without this project; what is written is read so and compared."""

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.methods.adapterhub_architectures import PLACES
from peft_pipelines.models import base_model
from peft_pipelines.models.merge import compared, probed, trained_method
from peft_pipelines.serving.export.finished import Finished
from peft_pipelines.storage.checkpoint import RECORD
from peft_pipelines.storage.hashes import CARD

ADAPTER = "adapter"
NOT_OURS = {
    "weights": "it has trained the model's own weights, which no adapter holds; export it as 'merged'",
    "custom": "its tuner is code of the project, which no library reads; export it as 'merged' where it can be merged",
    "none": "nothing was trained: it is the base model as it is",
}
"""By provider: why there is no adapter that a library reads."""


def refuse_adapter(cell: Finished) -> None:
    """Raise ConfigError where a cell has no adapter that a library reads by itself; no weights are read."""
    provider = cell.recorded.method.provider
    if provider in NOT_OURS:
        raise cell.cannot(ADAPTER, NOT_OURS[provider])
    if provider == "adapters" and cell.architecture in PLACES:
        reason = f"AdapterHub's library does not know where model type '{cell.architecture}' takes bottlenecks"
        raise cell.cannot(ADAPTER, reason)


def write_adapter(cell: Finished, folder: Path, say: Callable[[str], None]) -> float:
    """Write the adapter's files into a new folder, read them by the library alone, and compare the logits.

    Args:
        cell: the cell.
        folder: a folder that is not there yet.
        say: called with a sentence at each step.

    Returns:
        The largest difference of a logit between the library's model and this project's.

    Raises:
        ConfigError: the library alone cannot read it, or gives other logits.
    """
    checkpoint, base = cell.recorded.checkpoint, cell.base
    method = trained_method(base, checkpoint)
    beside = shutil.ignore_patterns(RECORD, CARD)
    shutil.copytree(checkpoint.weights, folder, ignore=beside)
    if cell.recorded.method.quantization:
        say("trained on a quantised base, compared on the full one: answers may differ from those that were scored")
    say(f"reading the adapter by the library alone, on model '{base.spec.name}'")
    attached = providers.load(base_model.clone(base.model, torch.Tensor.clone), method, checkpoint.weights)
    expected = probed(attached.plain, base)
    rows = torch.zeros(len(expected), dtype=torch.long, device=base.model.device)
    given = {"task_ids": rows} if attached.select else {}
    attached.detach()
    try:
        alone = _READERS[method.provider](base_model.clone(base.model, torch.Tensor.clone), str(folder))
        found = probed(alone.eval(), base, **given)
    except ConfigError:
        raise
    except Exception as error:  # a library may fail in any way on what it does not know
        raise cell.cannot(ADAPTER, f"its library alone cannot read it: {' '.join(str(error).split()):.200}") from None
    return compared(found, expected, base, f"cell '{cell.recorded.cell.id}': logits by its library alone and by ours")


def _by_peft(clone: PreTrainedModel, folder: str) -> torch.nn.Module:
    model: torch.nn.Module = import_module("peft").PeftModel.from_pretrained(clone, folder)
    return model


def _by_adapterhub(clone: Any, folder: str) -> torch.nn.Module:
    import_module("adapters").init(clone)
    clone.set_active_adapters(clone.load_adapter(folder, with_head=False, use_safetensors=True))
    model: torch.nn.Module = clone.to(clone.dtype)
    return model


_READERS = {"hf_peft": _by_peft, "adapters": _by_adapterhub}
