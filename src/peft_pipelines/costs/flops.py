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

from peft_pipelines import methods
from peft_pipelines.costs.operations import OperationCounter
from peft_pipelines.files.user_cache import worked_out
from peft_pipelines.methods import identity
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import Base, autocast

FORWARD_TOKENS = 512
"""PSCP's compute is one forward of 1 x 512 tokens."""

MEMORY = "flops.json"
"""The file of the user's cache folder that keeps counts."""

LIBRARIES = ("torch", "transformers", "peft", "adapters", "bitsandbytes")
BESIDE_THE_FORWARD = {
    *("name", "family", "citation", "source", "notes", "training", "optimizer"),
    *("shots", "max_new_tokens", "train_on", "starts_at_base", "keep_weights"),
}
"""Fields of a method's row that do not change its forward."""
VALUES_NEEDED = (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException)


def forward_tflop(attached: Attached) -> float:
    """TFLOP of one forward of 1 x 512 tokens through the method, soft prompts included, as operations.py counts them.

    The method is put into the mode for answering. Its forward computes shapes alone, without numbers. One that asks for
    numbers, as a custom method's may, is run.
    """
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            return _counted(attached)
    except VALUES_NEEDED:
        return _counted(attached)


def _counted(attached: Attached) -> float:
    core = attached.core
    attached.plain.eval()
    with torch.no_grad(), autocast(core, attached.precision), OperationCounter() as counter:
        attached.plain(input_ids=torch.zeros(1, FORWARD_TOKENS, dtype=torch.long, device=core.device))
    return counter.total / 1e12


def compute(base: Base, attached: Attached) -> dict[str, float]:
    """``tflop_of`` a method as ``tflop``, and of its base as ``base_tflop``."""
    own = Attached(attached.method, base.model, base.model, None)
    return {"tflop": tflop_of(base, attached), "base_tflop": tflop_of(base, own)}


def tflop_of(base: Base, attached: Attached) -> float:
    """``forward_tflop`` of a method on its clone of a base, or of the base itself.

    Counted once a machine for a method, whatever the task, the training and the seed, and once for a model.
    """
    key = _key(base, attached)
    if key not in base.measured:
        base.measured[key] = float(worked_out(MEMORY, key, lambda: repr(forward_tflop(attached))))
    return base.measured[key]


def _key(base: Base, attached: Attached) -> str:
    """Hash of all that decides the count: the model, the row, the method's files, shapes, our code and libraries.

    Shapes beside the row, since some methods choose them while they train.
    """
    method: list[object] = ["base"]
    if attached.plain is not base.model:
        row = attached.method.model_dump(mode="json", exclude=BESIDE_THE_FORWARD)
        method = [row, identity.fingerprint(attached.method)]
    folders = (Path(__file__).parent, Path(*methods.__path__))
    code = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.py"))]
    versions = [_version(name) for name in LIBRARIES]
    shapes = {name: list(value.shape) for name, value in attached.plain.named_parameters()}
    model = base.model.config.to_json_string(use_diff=False)
    parts = json.dumps([model, str(base.model.dtype), method, shapes, code, versions], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
