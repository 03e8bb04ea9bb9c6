"""Greedy generation, with the likelihood of given answers: batches of like length, left-padded, with a KV cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from peft_pipelines.config import TaskSpec
from peft_pipelines.files import progress
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.loglikelihood import Likelihood, Prefill
from peft_pipelines.inference.prefilling import prefilling
from peft_pipelines.inference.roomy_cache import with_room
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import forward
from peft_pipelines.models.shared_heads import one_token

CHECKED = {"cuda": 8}
"""By kind of device, tokens of a batch between two looks at what has stopped; each look waits for the device."""


@dataclass(frozen=True)
class Generation:
    """The new tokens of one prompt, stop token included, and the likelihood of each of its given answers."""

    tokens: list[int]
    likelihoods: list[Likelihood]


def generate(attached: Attached, prompts: Sequence[Sequence[int]], decoding: Decoding) -> list[list[int]]:
    """Return the new tokens of each prompt, stop token included, in the order of the prompts."""
    return [each.tokens for each in generate_and_score(attached, prompts, decoding, [[] for _ in prompts])]


@torch.no_grad()
def generate_and_score(
    attached: Attached,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    answers: Sequence[Sequence[Sequence[int]]],
) -> list[Generation]:
    """Return the generation of each prompt with the likelihoods of its ``answers``; both from one prefill.

    Packed, tokens that prompts begin with alike are run once, nothing is padded in the prefill, and an answer that is a
    given one needs no decoding. Otherwise tokens
    that all prompts begin with are run once and their keys and values reused, as are those of a soft prompt. In
    decoding, padding stands before a row, where the mask hides it and positions do not count it, so that a row's answer
    does not depend on the rows beside it. A sliding window would count it: rows that may outgrow one run beside rows of
    their own length only, and are not packed.

    Args:
        attached: the method on its clone of the base, ready to generate.
        prompts: each prompt's tokens.
        decoding: the options.
        answers: for each prompt the given answers as tokens, none where no likelihood is wanted.
    """
    with autocast(attached.core, attached.precision):
        prefill, batches = prefilling(attached, prompts, answers, decoding)
        generations: dict[int, Generation] = {}
        for rows in batches:
            filled, scored = prefill(rows)
            with one_token(attached.core):
                tokens = _decode_greedily(attached, filled, decoding)
            generations.update(zip(rows, map(Generation, tokens, scored), strict=True))
            progress.step("generate", len(generations), len(prompts))
    return [generations[row] for row in range(len(prompts))]


def prediction_fields(generation: Generation, stop: Sequence[int], task: TaskSpec) -> dict[str, Any]:
    """Return the fields of a prediction beside its text.

    ``new_tokens`` counts the generated tokens, ``stopped`` is whether the last one is a stop token. ``label_scores``
    holds the log-probability of each label with its end of turn. For free text ``reference_tokens`` is the length of
    the reference and ``reference_tokens_right`` how many of its tokens were the most likely ones; an example without a
    reference has neither.
    """
    fields: dict[str, Any] = {"new_tokens": len(generation.tokens), "stopped": generation.tokens[-1] in stop}
    if task.labels:
        scores = [each.logprob for each in generation.likelihoods]
        return {**fields, "label_scores": dict(zip(task.label_words, scores, strict=True))}
    for reference in generation.likelihoods:
        fields |= {"reference_tokens": reference.tokens, "reference_tokens_right": reference.greedy}
    return fields


def _decode_greedily(attached: Attached, prefill: Prefill, decoding: Decoding) -> list[list[int]]:
    """The answers of a batch. A row that has stopped leaves it, so that none waits for another."""
    cache, mask, last, logits = with_room(prefill.cache), prefill.mask, prefill.last, prefill.logits
    answers, active = [list(tokens) for tokens in prefill.said], list(prefill.going)
    unseen: list[torch.Tensor] = []
    while active:
        chosen = logits.argmax(-1)
        unseen.append(chosen)
        if len(unseen) == min(CHECKED.get(mask.device.type, 1), _left(answers, active, decoding)):
            for row, tokens in zip(active, torch.stack(unseen, dim=1).tolist(), strict=True):
                answers[row] = _up_to_the_end(answers[row], tokens, decoding)
            unseen = []
            going = [place for place, row in enumerate(active) if not decoding.ended(answers[row])]
            if len(going) < len(active):
                keep = torch.tensor(going, dtype=torch.long, device=mask.device)
                cache.batch_select_indices(keep)
                chosen, mask, last = chosen[keep], mask[keep], last[keep]
                active = [active[place] for place in going]
        if active:
            mask, last = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1), last + 1
            output = forward(attached.core, chosen[:, None], mask, last, cache, logits_to_keep=1)
            cache, logits = output.past_key_values, output.logits[:, -1]
    return answers


def _left(answers: Sequence[Sequence[int]], active: Sequence[int], decoding: Decoding) -> int:
    """The tokens that may still be said to the longest of the answers."""
    return decoding.max_new_tokens - max(len(answers[row]) for row in active)


def _up_to_the_end(said: list[int], tokens: Sequence[int], decoding: Decoding) -> list[int]:
    """An answer that is not complete, with more tokens up to its end."""
    for token in tokens:
        said = [*said, token]
        if decoding.ended(said):
            break
    return said
