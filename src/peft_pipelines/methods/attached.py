"""What a provider makes of a base model and a method row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import Cache, PreTrainedModel

from peft_pipelines.config import MethodSpec


@dataclass
class Attached:
    """A method inside its own clone of a base model.

    ``core`` is the causal language model with the method's layers in it. Soft prompts are not part of its forward:
    ``start`` gives them as the keys and values of one row (batch 1) that stand before the first token, with
    gradients. ``plain`` is the library's own forward, soft prompts included: the reference that every short cut
    is compared with. ``handle`` is what the provider needs to save. ``refuses`` gives, by field of the training
    arguments, the reason why a method cannot be trained that way.

    What some methods need of the training loop: ``begin`` is told the number of optimizer steps before the first one,
    ``after_step`` the number of steps done after each, while the gradients are still there, and ``penalty`` gives a
    scalar that is added to each batch's loss. ``initial`` holds the adapter's start, by its saved name, where the
    base's weights were rewritten for it. ``select`` says which of the tasks that are learnt together the next forwards
    are about, where the method has a part of its own for each.
    """

    method: MethodSpec
    core: PreTrainedModel
    plain: nn.Module
    handle: Any
    start: Callable[[], Cache] | None = None
    refuses: dict[str, str] = field(default_factory=dict)
    begin: Callable[[int], None] | None = None
    after_step: Callable[[int], None] | None = None
    penalty: Callable[[], torch.Tensor] | None = None
    initial: dict[str, torch.Tensor] = field(default_factory=dict)
    select: Callable[[int], None] | None = None

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: value for name, value in self.plain.named_parameters() if value.requires_grad}

    def trainable_parameters(self) -> int:
        """How many numbers training changes."""
        return sum(value.numel() for value in self.trainable().values())

    def detach(self) -> None:
        """Forget the clone. The base was never part of it."""
        self.core = self.plain = nn.Module()
        self.handle = self.start = self.begin = self.after_step = self.penalty = self.select = None
        self.initial = {}


def own_trainables(attached: Attached) -> Attached:
    """Give what will be trained its own fp32 memory, so that the base's tensors are never written to."""
    for parameter in attached.trainable().values():
        parameter.data = parameter.data.to(torch.float32, copy=True)
    return attached
