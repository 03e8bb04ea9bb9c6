"""The exact short cuts of training that a method, a model and the training arguments allow together."""

from dataclasses import dataclass

from torch import nn

from peft_pipelines.config import TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.forward import takes
from peft_pipelines.models.token_tree import packing_refused
from peft_pipelines.models.tree_kernel import MASK, PATHS, attention_name, flex_refused

CACHELESS = "gradient checkpointing keeps no cache"
ONE_MASK = "dropout would draw one mask for all rows"
AGAIN = "gradient checkpointing runs the layers again when their attention is gone"
UNPACKED = "batches are not packed, and rows have the usual attention"
NOT_PACKED = "batches are not packed, so what a group shares would run once an example"
_NAMES = (
    *("packed_batches", "group_batches", "shared_prefix", "label_positions_only", "length_buckets"),
    "flex_attention",
)


@dataclass(frozen=True)
class Shortcuts:
    """The short cuts that a training takes; ``reasons`` says for each other one why it does not.

    ``attention`` is the name in ``models.tree_kernel`` of the attention that batches run by.
    """

    packed_batches: bool
    group_batches: bool
    shared_prefix: bool
    label_positions_only: bool
    length_buckets: bool
    attention: str
    flex_attention: bool
    reasons: dict[str, str]

    @classmethod
    def of(cls, attached: Attached, training_args: TrainingSpec) -> "Shortcuts":
        """Return those that the training arguments, the method and the model allow together.

        Raises:
            ConfigError: the training arguments ask for gradient checkpointing, which the method cannot be trained with.
        """
        if training_args.gradient_checkpointing and "gradient_checkpointing" in attached.refuses:
            why = attached.refuses["gradient_checkpointing"]
            raise ConfigError(f"method '{attached.method.name}': gradient_checkpointing must be false, got true: {why}")
        reasons = {name: "switched off" for name in _NAMES if not getattr(training_args, name)}
        for name, reason in _refusals(attached, training_args).items():
            reasons.setdefault(name, reason)
        if "packed_batches" in reasons:
            reasons.setdefault("group_batches", NOT_PACKED)
            reasons.setdefault("flex_attention", UNPACKED)
        elif "flex_attention" not in reasons and (refused := flex_refused(attached.core, attached.precision)):
            reasons["flex_attention"] = refused
        taken = {name: name not in reasons for name in _NAMES}
        attention = attention_name(attached.core, packed=taken["packed_batches"], flex=taken["flex_attention"])
        if training_args.gradient_checkpointing and attention == PATHS:
            attention = MASK
        return cls(**taken, attention=attention, reasons=reasons)


def _refusals(attached: Attached, training_args: TrainingSpec) -> dict[str, str]:
    """By short cut the reason why the method and its model, trained so, can't have it."""
    found = dict(attached.refuses)
    if _dropout(attached):
        found.setdefault("shared_prefix", ONE_MASK)
        found.setdefault("packed_batches", ONE_MASK)
    if reason := packing_refused(attached):
        found.setdefault("packed_batches", reason)
    if training_args.gradient_checkpointing:
        found.setdefault("shared_prefix", CACHELESS)
        found.setdefault("flex_attention", AGAIN)
        if attached.start:
            found.setdefault("packed_batches", CACHELESS)
    if not takes(attached, "past_key_values"):
        found.setdefault("shared_prefix", "the model's forward takes no past_key_values")
    return found


def _dropout(attached: Attached) -> bool:
    """Whether a layer has dropout: by a module of its own, or by a rate that it hands to a function."""
    modules = list(attached.core.modules())
    rates = [
        value for part in modules for name, value in vars(part).items() if "drop" in name and isinstance(value, float)
    ]
    return any([*rates, *(part.p for part in modules if isinstance(part, nn.Dropout))])
