"""No method: the base model as it is, for the rows that a tuned model must beat."""

from pathlib import Path

from transformers import PreTrainedModel

from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.providers.attached import Attached
from peft_pipelines.specs import MethodSpec


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Refuse any config: there is nothing to configure."""
    for name in method.config:
        raise unknown(f"method '{method.name}', config", "field", name, [])


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
