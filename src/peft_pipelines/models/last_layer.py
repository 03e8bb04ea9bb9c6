"""The end of a forward at the positions that are asked for alone: what no later layer reads is not computed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from peft_pipelines.methods.decoder import decoder_layers

Places = tuple[torch.Tensor, torch.Tensor]
"""The row and the position of each token that is meant."""


@contextmanager
def end_only_at(core: PreTrainedModel, chosen: Places) -> Iterator[None]:
    """Let the output head, and before it the last layer's feed-forward part, see only the chosen positions in a block.

    The logits there are those of a whole forward: behind the last layer's attention no token reads another one.

    Args:
        core: the causal language model.
        chosen: the positions that are wanted, each once; the head's output is (1, chosen, vocabulary).
    """
    head: nn.Module = core.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][chosen][None], *inputs[1:]))
    with ExitStack() as at_the_end:
        at_the_end.callback(hook.remove)
        if part := feed_forward(core):
            at_the_end.enter_context(_running(part, partial(_at, chosen, part.forward)))
        yield


def feed_forward(core: PreTrainedModel) -> nn.Module | None:
    """Return the part of the last layer that works on each token alone.

    None where the library gives it another name; where it routes tokens to experts, whose load is of all tokens; where
    a method has hooks in it, which may bring in tokens from elsewhere (AdapterHub's adapters in some models); and where
    layers run again in the backward pass, when the block has ended.
    """
    part = getattr(decoder_layers(core)[-1], "mlp", None)
    if part is None or not type(part).__name__.endswith("MLP") or hasattr(part, "experts"):
        return None
    again = core.training and getattr(core, "is_gradient_checkpointing", False)
    hooked = any(each._forward_hooks or each._forward_pre_hooks for each in part.modules())
    return None if again or hooked else part


def _at(chosen: Places, usual: Callable[..., torch.Tensor], states: torch.Tensor) -> torch.Tensor:
    """What a part makes of the chosen positions of its input (rows, tokens, width), and 0 at the others."""
    if not len(chosen[0]):
        return torch.zeros_like(states)
    made = usual(states[chosen][None])[0]
    return made.new_zeros(*states.shape[:-1], made.shape[-1]).index_put(chosen, made)


@contextmanager
def _running(part: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let a module run another forward in a block."""
    own = vars(part).get("forward")
    part.forward = forward
    try:
        yield
    finally:
        del part.forward
        if own:
            part.forward = own
