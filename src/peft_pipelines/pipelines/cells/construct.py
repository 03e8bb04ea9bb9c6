"""The first step of a cell: a method on its own clone of the base model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft_pipelines import measure, models, providers
from peft_pipelines.providers import Attached
from peft_pipelines.specs import MethodSpec, ModelSpec, TrainingSpec


@dataclass
class PeftModel:
    """A method on its clone of the base, ready to train, with what is known of it before."""

    attached: Attached
    base: models.Base
    facts: dict[str, Any]


def construct(method: MethodSpec, model: ModelSpec, protocol: TrainingSpec, weights: Path, seed: int) -> PeftModel:
    """Attach the method to a clone of the resident base, and count what it will train and compute."""
    base = models.resident(model, weights)
    attached = providers.attach(models.clone(base.model), method, seed)
    facts = {
        "method": method.model_dump(),
        "model": model.model_dump(),
        "protocol": protocol.overridden(method).model_dump(),
        "seed": seed,
        "trainable_parameters": attached.trainable_parameters(),
        "total_parameters": sum(value.numel() for value in base.model.parameters()),
        "tflop": _tflop(base, attached, method.model_dump_json()),
        "base_tflop": _tflop(base, Attached(method, base.model, base.model, None), "base"),
        "base_checksum": base.checksum,
    }
    return PeftModel(attached, base, facts)


def _tflop(base: models.Base, attached: Attached, key: str) -> float:
    """Measured once a method and base: it does not depend on the task."""
    if key not in base.measured:
        base.measured[key] = measure.forward_tflop(attached)
    return base.measured[key]
