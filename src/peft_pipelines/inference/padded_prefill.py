"""The first forward of a batch of prompts as left-padded rows behind the tokens that all of them begin with."""

import copy
from collections.abc import Sequence

import torch
from transformers import Cache

from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.inference.loglikelihood import Answers, Prefill, Prefilling, Scored, likelihoods
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.forward import forward, prefix_cache


def padded(
    attached: Attached, prompts: Sequence[Sequence[int]], answers: Answers, pad: int, *, shared: bool
) -> Prefilling:
    """Return the function that runs a batch of the prompts, and their answers behind them.

    Args:
        attached: the method on its clone of the base.
        prompts: each prompt's tokens.
        answers: their answers.
        pad: the padding token's id; any will do.
        shared: whether tokens that all prompts begin with are run once.
    """
    prefix = shared_prefix(prompts) if shared else []
    cache = attached.start() if attached.start else None
    if prefix:
        cache = prefix_cache(attached, torch.tensor([list(prefix)], device=attached.core.device))

    def prefilling(rows: Sequence[int]) -> Scored:
        filled = _prefill(attached, cache, [prompts[row][len(prefix) :] for row in rows], pad)
        return filled, likelihoods(attached.core, filled, [answers[row] for row in rows])

    return prefilling


def _prefill(attached: Attached, cache: Cache | None, tails: Sequence[Sequence[int]], pad: int) -> Prefill:
    """The forward of a batch of prompts behind the cache of what they share."""
    if cache is not None:
        cache = copy.deepcopy(cache)
        cache.batch_repeat_interleave(len(tails))
    ids, mask, positions = _left_padded(tails, cache, pad, attached.core.device)
    output = forward(attached.core, ids, mask, positions, cache, logits_to_keep=1)
    rows = list(range(len(tails)))
    return Prefill(output.past_key_values, mask, positions[:, -1:], output.logits[:, -1], rows, [[] for _ in rows])


def _left_padded(
    tails: Sequence[Sequence[int]], cache: Cache | None, pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids (rows, width), the mask over cache and tokens, and the tokens' positions, which skip the padding."""
    before = cache.get_seq_length() if cache is not None else 0
    width = max(map(len, tails))
    ids = torch.tensor([[*[pad] * (width - len(tail)), *tail] for tail in tails], device=device)
    mask = torch.tensor([[1] * before + [0] * (width - len(tail)) + [1] * len(tail) for tail in tails], device=device)
    return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)[:, before:]
