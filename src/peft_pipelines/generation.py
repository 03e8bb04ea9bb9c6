"""Greedy answers from a saved method: batched, sorted by length, left-padded, with the KV cache."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import Cache, GenerationConfig

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
    prefix = shared_prefix(prompts)[: min(map(len, prompts)) - 1] if decoding.shared_prefix else []
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
    width = max(map(len, tails))
    cache = copy.deepcopy(cache)
    before = cache.get_seq_length() if cache is not None else 0
    if cache is not None:
        cache.batch_repeat_interleave(len(tails))
    fill = [[decoding.pad] * (before + width - len(tail)) for tail in tails]
    ids = torch.tensor([[*pads, *tail] for pads, tail in zip(fill, tails, strict=True)], device=attached.core.device)
    mask = torch.tensor(
        [[1] * before + [0] * (width - len(tail)) + [1] * len(tail) for tail in tails], device=attached.core.device
    )
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=decoding.max_new_tokens,
        eos_token_id=list(decoding.stop),
        pad_token_id=decoding.pad,
        use_cache=True,
    )
    output = attached.core.generate(
        input_ids=ids, attention_mask=mask, past_key_values=cache, generation_config=config
    )
    return [_until_stop(row, decoding.stop) for row in output[:, before + width :].tolist()]


def _until_stop(tokens: list[int], stop: Sequence[int]) -> list[int]:
    end = next((place + 1 for place, token in enumerate(tokens) if token in stop), len(tokens))
    return tokens[:end]
