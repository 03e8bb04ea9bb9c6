"""Floating-point operations of a method: PSCP's compute."""

import hashlib
import json
from importlib import metadata
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedOperatorException,
)
from torch.utils.flop_counter import FlopCounterMode

from peft_pipelines import methods
from peft_pipelines.files.user_cache import worked_out
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import Base, autocast

FORWARD_TOKENS = 512
"""PSCP's compute is one forward of 1 x 512 tokens."""

MEMORY = "flops.json"
"""The file of the user's cache folder that keeps counts."""

LIBRARIES = ("torch", "transformers", "peft", "adapters", "bitsandbytes")
VALUES_NEEDED = (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException)


def forward_tflop(attached: Attached) -> float:
    """TFLOP of one forward of 1 x 512 tokens through the method, soft prompts included, by torch's flop counter.

    The forward computes shapes alone, without numbers. One that needs numbers, as a custom method's may, is run.
    """
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            return _counted(attached)
    except VALUES_NEEDED:
        return _counted(attached)


def _counted(attached: Attached) -> float:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), autocast(attached.core), counter:
        attached.plain(input_ids=torch.zeros(1, FORWARD_TOKENS, dtype=torch.long, device=attached.core.device))
    return float(counter.get_total_flops()) / 1e12


def tflop_of(base: Base, attached: Attached) -> float:
    """``forward_tflop`` of a method on its clone of a base, or of the base itself.

    Counted once a process, and once a machine where the method is not custom code: neither task nor weights change it.
    """
    key = _key(base, attached)
    if key not in base.measured:
        if attached.method.provider == "custom":
            base.measured[key] = forward_tflop(attached)
        else:
            base.measured[key] = float(worked_out(MEMORY, key, lambda: repr(forward_tflop(attached))))
    return base.measured[key]


def _key(base: Base, attached: Attached) -> str:
    """Hash of all that decides the count: shapes, the row, our own code of methods, and the libraries."""
    method = "base" if attached.plain is base.model else attached.method.model_dump(mode="json")
    code = [
        path.read_text(encoding="utf-8") for path in (Path(__file__), *sorted(Path(*methods.__path__).glob("*.py")))
    ]
    versions = [_version(name) for name in LIBRARIES]
    model = base.model.config.to_json_string(use_diff=False)
    parts = json.dumps([model, str(base.model.dtype), method, code, versions], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
