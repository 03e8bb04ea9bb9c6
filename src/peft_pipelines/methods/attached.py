"""A tuning method attached to a clone of the base model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import Cache, PreTrainedModel

from peft_pipelines.config import MethodSpec


@dataclass
class Attached:
    """A method attached to its own clone of a base model, as a provider returns it.

    Attributes:
        method: the row.
        core: the causal language model with the method's layers in it, soft prompts left out.
        plain: the library's own forward, soft prompts included; each short cut is tested against it.
        handle: the object that the provider needs to save.
        start: of soft prompts; returns their keys and values for one example, with gradients, as the cache that stands
            before the first token.
        refuses: by field of the training arguments, the reason why the method cannot be trained with it.
        begin: called with the number of optimizer steps before the first one.
        after_step: called with the number of steps done after each one, while the gradients are still there.
        penalty: returns a scalar that is added to each batch's loss.
        initial: the adapter's start by its saved names, where the base's weights were rewritten for it.
        select: of a method that has a part for each of several tasks; chooses one by its place for the next forwards.
        base_memory: addresses of the base's own tensors, which nothing changes.
        precision: what its forwards compute in: the base's, also where the trained weights are kept in another.
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
    base_memory: frozenset[int] = frozenset()
    precision: torch.dtype = field(init=False)

    def __post_init__(self) -> None:
        self.precision = self.core.dtype

    def trainable(self) -> dict[str, nn.Parameter]:
        """Return the parameters that training changes, by name."""
        return {name: value for name, value in self.plain.named_parameters() if value.requires_grad}

    def trainable_parameters(self) -> int:
        """Count the numbers that training changes."""
        return sum(value.numel() for value in self.trainable().values())

    def detach(self) -> None:
        """Drop all references to the clone, so that its memory is freed."""
        self.core = self.plain = nn.Module()
        self.handle = self.start = self.begin = self.after_step = self.penalty = self.select = None
        self.initial = {}


def own_trainables(attached: Attached) -> Attached:
    """Copy what will be trained into fp32 memory of its own, so that the base's tensors are never written to."""
    for parameter in attached.trainable().values():
        parameter.data = parameter.data.to(torch.float32, copy=True)
    return attached
