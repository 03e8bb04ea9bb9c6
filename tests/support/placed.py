"""Methods on a base of any precision on any device. What tests of CUDA do is done here on a CPU as well."""

from functools import cache
from pathlib import Path

import pytest
import tiny
import torch
from transformers import PreTrainedModel

from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
DEVICES = [
    pytest.param("cpu", marks=pytest.mark.slow),
    pytest.param("cuda", marks=[pytest.mark.cuda, NO_GPU]),
]
"""Where a test of CUDA runs; on a CPU too, so that what it does is tried without a GPU."""
on_devices = pytest.mark.parametrize("device", DEVICES)


@cache
def base(family: str, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """The one base of a family in a precision on a device."""
    return tiny.fresh(family, dtype).to(device)


def attach(name: str, family: str, dtype: torch.dtype, device: str) -> Attached:
    """A method row on a clone of that base, trainable."""
    return providers.attach(base_model.clone(base(family, dtype, device)), tiny.method_for(name, family), 0)


def reloaded(attached: Attached, family: str, folder: Path) -> Attached:
    """The same method, saved into a folder and loaded from it as it is loaded to be scored."""
    providers.save(attached, folder)
    clone = base_model.clone(base(family, attached.precision, attached.core.device.type))
    return providers.load(clone, attached.method, folder)


def answers(attached: Attached) -> torch.Tensor:
    """What a method says of two rows, as it is asked in a run."""
    attached.plain.eval()
    with base_model.autocast(attached.core, attached.precision):
        return tiny.logits(attached.plain, tiny.ids(12, rows=2).to(attached.core.device)).float()


def elsewhere(attached: Attached) -> list[str]:
    """The tensors of a method that are not on the device of its model, by the names of their places."""
    found = []
    for path, module in attached.plain.named_modules():
        for name, value in {**module._parameters, **module._buffers, **vars(module)}.items():
            for key, one in value.items() if isinstance(value, dict) else [(name, value)]:
                if isinstance(one, torch.Tensor) and one.device.type != attached.core.device.type:
                    found.append(f"{path}.{name}.{key}")
    return found
