"""Tokens that run once before what stands behind them is trained, part by part."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from transformers import Cache

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import cache_of, whole
from peft_pipelines.models.last_layer import end_only_at
from peft_pipelines.models.token_tree import TokenTree, run


@dataclass(frozen=True)
class Trunk:
    """Tokens that have run: how many, and their keys and values for one example, cut off from what made them."""

    depth: int
    cache: Cache


@contextmanager
def standing(attached: Attached, tokens: Sequence[int], around: Trunk | None, *, flex: bool = False) -> Iterator[Trunk]:
    """Run some tokens and yield them, as a trunk for forwards and backwards in the block.

    At the end of the block the gradients that have come to the keys and values of the trunk go back through its tokens,
    so that those of the parameters are the same as if all had been one forward.

    Args:
        attached: the method on its clone of the base, with ``packing_refused`` against nothing.
        tokens: what examples have in common behind ``around``.
        around: the trunk before; None for none, where a soft prompt stands before the tokens.
        flex: whether by FlexAttention.
    """
    core = attached.core
    soft = attached.start() if attached.start and not around else None
    cache = whole(around.cache if around else soft)
    none = torch.zeros(0, dtype=torch.long, device=core.device)
    with autocast(core, attached.precision), end_only_at(core, (none, none)):
        run(core, TokenTree.of([tokens], core.device), cache, flex=flex)
    made = [side for layer in cache.layers for side in (layer.keys, layer.values)]
    held = [side.detach().requires_grad_(side.requires_grad) for side in made]
    yield Trunk((around.depth if around else 0) + len(tokens), cache_of(held))
    reached = [(side, leaf.grad) for side, leaf in zip(made, held, strict=True) if leaf.grad is not None]
    torch.autograd.backward([side for side, _ in reached], [gradient for _, gradient in reached])
