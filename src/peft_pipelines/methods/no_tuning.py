"""No tuning: the base model as it is, the baseline of tuned ones."""

from pathlib import Path

from transformers import PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.attached import Attached

TYPE = "none"


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Return 0, the bytes of what is trained; raise ConfigError for any type, config or optimizer."""
    where = f"method '{method.name}'"
    if method.type != TYPE:
        raise unknown(where, "type", method.type, [TYPE])
    for name in method.config:
        raise unknown(f"{where}, config", "field", name, [])
    if method.optimizer != MethodSpec.model_fields["optimizer"].default:
        raise ConfigError(f"{where}, optimizer: must be left out, got {method.optimizer}: nothing is trained")
    return 0


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """Return the clone as it is."""
    return Attached(method, clone, clone, handle=None)


def save(attached: Attached, folder: Path) -> None:
    """Write nothing: nothing was trained."""


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """Return the clone as it is."""
    return attach(clone, method)


def merge(attached: Attached) -> PreTrainedModel:
    """Raise ConfigError: there is nothing to merge."""
    raise ConfigError(f"method '{attached.method.name}': cannot be merged: it is the base model as it is")
