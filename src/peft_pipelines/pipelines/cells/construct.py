"""The first step of a cell: a method on its own clone of the base model."""

# ruff: noqa: PLC0415  (Kedro imports this module to build the pipelines, and a run with nothing to do must not wait for
# torch: what loads it is imported where it is used)

from pathlib import Path

from peft_pipelines.config import MethodSpec, ModelSpec, TrainingSpec
from peft_pipelines.costs import energy
from peft_pipelines.training.peft_model import PeftModel


def construct(method: MethodSpec, model: ModelSpec, training_args: TrainingSpec, weights: Path, seed: int) -> PeftModel:
    """Attach the method to a clone of the resident base, and count what it will train.

    Raises:
        ConfigError: the training takes more than the memory of the device here; the run may be planned elsewhere.
    """
    from peft_pipelines.methods import providers
    from peft_pipelines.methods.size_check import training_bytes
    from peft_pipelines.models import base_model, enough_memory

    energy.warm()
    base = base_model.resident(model, weights)
    attached = providers.attach(base_model.clone(base.model), method, seed)
    trained = training_bytes(method, attached.plain)
    enough_memory.check_fits([enough_memory.of_training(method, enough_memory.of_weights(model, base.model), trained)])
    facts = {
        "method": method.model_dump(),
        "model": model.model_dump(),
        "training_args": training_args.overridden(method).model_dump(),
        "seed": seed,
        "trainable_parameters": attached.trainable_parameters(),
        "total_parameters": sum(value.numel() for value in base.model.parameters()),
        "base_checksum": base.checksum,
    }
    return PeftModel(attached, base, facts)
