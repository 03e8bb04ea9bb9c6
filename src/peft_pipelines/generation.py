"""Greedy answers from a saved method: batched, sorted by length, left-padded, with the KV cache."""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import Cache

from peft_pipelines import progress
from peft_pipelines.models import autocast
from peft_pipelines.objective import prefix_cache
from peft_pipelines.prompting import shared_prefix
from peft_pipelines.providers import Attached


@dataclass(frozen=True)
class Decoding:
    """How answers are generated: greedily, at most so many tokens, up to one of the stop tokens."""

    max_new_tokens: int
    stop: tuple[int, ...]
    pad: int
    batch_size: int
    shared_prefix: bool


@torch.no_grad()
def generate(attached: Attached, prompts: Sequence[Sequence[int]], decoding: Decoding) -> list[list[int]]:
    """The new tokens of each prompt, stop token included, in the order of the prompts.

    Tokens that all prompts begin with are run once and their keys and values reused, as are those of a soft prompt.
    The padding stands between them and the rest of a row, where the mask hides it and positions do not count it, so
    that a row's answer does not depend on the rows beside it.
    """
    shared = decoding.shared_prefix and "shared_prefix" not in attached.refuses
    prefix = shared_prefix(prompts) if shared else []
    with autocast(attached.core):
        cache = _start(attached, prefix)
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        answers: dict[int, list[int]] = {}
        for first in range(0, len(order), decoding.batch_size):
            rows = order[first : first + decoding.batch_size]
            tails = [prompts[row][len(prefix) :] for row in rows]
            answers.update(zip(rows, _batch(attached, cache, tails, decoding), strict=True))
            progress.step("generate", len(answers), len(prompts))
    return [answers[row] for row in range(len(prompts))]


def _start(attached: Attached, prefix: Sequence[int]) -> Cache | None:
    if prefix:
        return prefix_cache(attached, torch.tensor([list(prefix)], device=attached.core.device))
    return attached.start() if attached.start else None


def _batch(
    attached: Attached, cache: Cache | None, tails: Sequence[Sequence[int]], decoding: Decoding
) -> list[list[int]]:
    """Greedy answers of one left-padded batch. A row that has stopped leaves the batch, so that none waits for it."""
    answers: list[list[int]] = [[] for _ in tails]
    core, active = attached.core, list(range(len(tails)))
    if cache is not None:
        cache = copy.deepcopy(cache)
        cache.batch_repeat_interleave(len(tails))
    ids, mask, positions = _left_padded(tails, cache, decoding.pad, core.device)
    accepted = inspect.signature(core.forward).parameters
    for _ in range(decoding.max_new_tokens):
        options = {"position_ids": positions, "logits_to_keep": 1}
        output = core(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            **{name: value for name, value in options.items() if name in accepted},
        )
        cache, chosen = output.past_key_values, output.logits[:, -1].argmax(-1)
        for row, token in zip(active, chosen.tolist(), strict=True):
            answers[row].append(token)
        going = [place for place, row in enumerate(active) if answers[row][-1] not in decoding.stop]
        if not going:
            break
        if len(going) < len(active):
            keep = torch.tensor(going, device=core.device)
            cache.batch_select_indices(keep)
            chosen, mask, positions = chosen[keep], mask[keep], positions[keep]
            active = [active[place] for place in going]
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
    return answers


def _left_padded(
    tails: Sequence[Sequence[int]], cache: Cache | None, pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids (rows, width), the mask over cache and tokens, and the tokens' positions, which skip the padding."""
    before = cache.get_seq_length() if cache is not None else 0
    width = max(map(len, tails))
    ids = torch.tensor([[*[pad] * (width - len(tail)), *tail] for tail in tails], device=device)
    mask = torch.tensor([[1] * before + [0] * (width - len(tail)) + [1] * len(tail) for tail in tails], device=device)
    return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)[:, before:]
