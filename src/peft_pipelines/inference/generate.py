"""Greedy answers from a saved method, and how likely given answers are: batched by length, left-padded, KV cache."""

import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import torch
from transformers import Cache, DynamicCache

from peft_pipelines.data.batching import cut, shared_prefix, within
from peft_pipelines.files import progress
from peft_pipelines.inference.loglikelihood import Likelihood, Prompted, likelihoods
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import forward, prefix_cache

TOKENS = 32 * 512
"""Rows times prompt tokens of one batch at most, whatever its size: bounds the memory of long prompts."""


@dataclass(frozen=True)
class Decoding:
    """How answers are generated: greedily, at most so many tokens, up to one of the stop tokens."""

    max_new_tokens: int
    stop: tuple[int, ...]
    pad: int
    batch_size: int
    shared_prefix: bool


@dataclass(frozen=True)
class Answered:
    """What became of one prompt: the new tokens, stop token included, and the likelihood of each answer asked for."""

    tokens: list[int]
    likelihoods: list[Likelihood]


def generate(attached: Attached, prompts: Sequence[Sequence[int]], decoding: Decoding) -> list[list[int]]:
    """The new tokens of each prompt, stop token included, in the order of the prompts."""
    return [found.tokens for found in answer(attached, prompts, decoding, [[] for _ in prompts])]


@torch.no_grad()
def answer(
    attached: Attached,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    asked: Sequence[Sequence[Sequence[int]]],
) -> list[Answered]:
    """What the model says to each prompt, and how likely it finds the answers ``asked`` of it, as tokens.

    Both start from one forward of the prompts.

    Tokens that all prompts begin with are run once and their keys and values reused, as are those of a soft prompt.
    The padding stands between them and the rest of a row, where the mask hides it and positions do not count it, so
    that a row's answer does not depend on the rows beside it. A sliding window would count it: rows that may outgrow
    one run beside rows of their own length only.
    """
    shared = decoding.shared_prefix and "shared_prefix" not in attached.refuses
    prefix = shared_prefix(prompts) if shared else []
    with autocast(attached.core):
        cache = _start(attached, prefix)
        before = (cache.get_seq_length() if cache is not None else 0) - len(prefix)
        longest = before + max(map(len, prompts)) + max(decoding.max_new_tokens, *map(len, chain(*asked)), 0)
        found: dict[int, Answered] = {}
        for rows in _batches(list(map(len, prompts)), decoding.batch_size, padded=longest <= _window(attached)):
            prompted = _read(attached, cache, [prompts[row][len(prefix) :] for row in rows], decoding.pad)
            judged = likelihoods(attached.core, prompted, [asked[row] for row in rows])
            answers = _greedy(attached, prompted, decoding)
            found.update(zip(rows, map(Answered, answers, judged), strict=True))
            progress.step("generate", len(found), len(prompts))
    return [found[row] for row in range(len(prompts))]


def _start(attached: Attached, prefix: Sequence[int]) -> Cache | None:
    if prefix:
        return prefix_cache(attached, torch.tensor([list(prefix)], device=attached.core.device))
    return attached.start() if attached.start else None


def _window(attached: Attached) -> int:
    """How far back the model looks in the layer that looks back least."""
    layers = DynamicCache(config=attached.core.config).layers
    return min((layer.sliding_window for layer in layers if layer.is_sliding), default=sys.maxsize)


def _batches(lengths: Sequence[int], size: int, *, padded: bool) -> Iterator[list[int]]:
    """Row numbers in batches of like length; of equal length unless they may be padded.

    >>> list(_batches([3, 1, 3, 2], 2, padded=True)), list(_batches([3, 1, 3, 2], 2, padded=False))
    ([[1, 3], [0, 2]], [[1], [3], [0, 2]])
    """
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    for _, group in groupby(order, key=lambda row: 0 if padded else lengths[row]):
        rows = list(group)
        for batch in cut(rows, size):
            yield from ([batch[place] for place in part] for part in within([lengths[row] for row in batch], TOKENS))


def _read(attached: Attached, cache: Cache | None, tails: Sequence[Sequence[int]], pad: int) -> Prompted:
    """A batch behind its prompts, left-padded."""
    if cache is not None:
        cache = copy.deepcopy(cache)
        cache.batch_repeat_interleave(len(tails))
    ids, mask, positions = _left_padded(tails, cache, pad, attached.core.device)
    output = forward(attached.core, ids, mask, positions, cache, logits_to_keep=1)
    return Prompted(output.past_key_values, mask, positions[:, -1:], output.logits[:, -1])


def _greedy(attached: Attached, prompted: Prompted, decoding: Decoding) -> list[list[int]]:
    """The answers of a batch. A row that has stopped leaves it, so that none waits for another."""
    cache, mask, last, logits = prompted.cache, prompted.mask, prompted.last, prompted.logits
    answers: list[list[int]] = [[] for _ in mask]
    active = list(range(len(answers)))
    while True:
        chosen = logits.argmax(-1)
        for row, token in zip(active, chosen.tolist(), strict=True):
            answers[row].append(token)
        going = [place for place, row in enumerate(active) if answers[row][-1] not in decoding.stop]
        if not going or len(answers[active[0]]) == decoding.max_new_tokens:
            return answers
        if len(going) < len(active):
            keep = torch.tensor(going, device=mask.device)
            cache.batch_select_indices(keep)
            chosen, mask, last = chosen[keep], mask[keep], last[keep]
            active = [active[place] for place in going]
        mask, last = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1), last + 1
        output = forward(attached.core, chosen[:, None], mask, last, cache, logits_to_keep=1)
        cache, logits = output.past_key_values, output.logits[:, -1]


def _left_padded(
    tails: Sequence[Sequence[int]], cache: Cache | None, pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids (rows, width), the mask over cache and tokens, and the tokens' positions, which skip the padding."""
    before = cache.get_seq_length() if cache is not None else 0
    width = max(map(len, tails))
    ids = torch.tensor([[*[pad] * (width - len(tail)), *tail] for tail in tails], device=device)
    mask = torch.tensor([[1] * before + [0] * (width - len(tail)) + [1] * len(tail) for tail in tails], device=device)
    return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)[:, before:]
