"""What a provider makes of a base model and a method row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import Cache, PreTrainedModel

from peft_pipelines.specs import MethodSpec


@dataclass
class Attached:
    """A method inside its own clone of a base model.

    ``core`` is the causal language model with the method's layers in it. Soft prompts are not part of its forward:
    ``start`` gives them as the keys and values of one row (batch 1) that stand before the first token, with
    gradients. ``plain`` is the library's own forward, soft prompts included: the reference that every short cut
    is compared with. ``handle`` is what the provider needs to save. ``refuses`` gives, by the protocol's field, the
    reason why a method cannot be trained that way.
    """

    method: MethodSpec
    core: PreTrainedModel
    plain: nn.Module
    handle: Any
    start: Callable[[], Cache] | None = None
    refuses: dict[str, str] = field(default_factory=dict)

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: value for name, value in self.plain.named_parameters() if value.requires_grad}

    def trainable_parameters(self) -> int:
        """How many numbers training changes."""
        return sum(value.numel() for value in self.trainable().values())

    def detach(self) -> None:
        """Forget the clone. The base was never part of it."""
        self.core = self.plain = nn.Module()
        self.handle = self.start = None


def own_trainables(attached: Attached) -> Attached:
    """Give what will be trained its own fp32 memory, so that the base's tensors are never written to."""
    for parameter in attached.trainable().values():
        parameter.data = parameter.data.to(torch.float32, copy=True)
    return attached
