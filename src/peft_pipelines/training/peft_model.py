"""A method on its clone of the base model, before it is trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peft_pipelines.methods.attached import Attached
    from peft_pipelines.models.base_model import Base


@dataclass
class PeftModel:
    """A method on its clone of the base model, ready to train. ``facts`` are the first fields of the cell's record."""

    attached: "Attached"
    base: "Base"
    facts: dict[str, Any]
