"""No method: the base model as it is, for the rows that a tuned model must beat."""

from pathlib import Path

from transformers import PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.attached import Attached

TYPE = "none"


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Refuse any type, config and optimizer: there is nothing to configure or to train."""
    where = f"method '{method.name}'"
    if method.type != TYPE:
        raise unknown(where, "type", method.type, [TYPE])
    for name in method.config:
        raise unknown(f"{where}, config", "field", name, [])
    if method.optimizer != MethodSpec.model_fields["optimizer"].default:
        raise ConfigError(f"{where}, optimizer: must be left out, got {method.optimizer}: nothing is trained")


def fingerprint(method: MethodSpec) -> str:
    """Nothing but the row decides."""
    return method.type


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """The clone itself."""
    return Attached(method, clone, clone, handle=None)


def save(attached: Attached, folder: Path) -> None:
    """There is nothing to save."""


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """The clone itself."""
    return attach(clone, method)


def merge(attached: Attached) -> PreTrainedModel:
    """Refused: there is nothing to merge."""
    raise ConfigError(f"method '{attached.method.name}': cannot be merged: it is the base model as it is")
