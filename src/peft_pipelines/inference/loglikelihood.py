"""Log-likelihoods of given answers behind prompts whose keys and values are cached: one small forward for all of them.

An answer is its words and the end of the turn, as in training: a label that only begins what the model would say is
not its answer. The log-likelihood is the sum over these tokens, not divided by their number: of all that a model may
say, that is the chance of saying this. A label of more tokens is as a rule the less likely one; a tuned model has
learnt that the last tokens of a word follow from its first.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache, PreTrainedModel

from peft_pipelines.config import TaskSpec
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.models.forward import forward

POSITIONS, CACHED = 256, 8192
"""Limits of one forward: positions with logits, tokens with keys and values. More is seen in peak memory."""


@dataclass(frozen=True)
class Likelihood:
    """The log-likelihood of one answer behind one prompt.

    Attributes:
        logprob: the natural logarithm of the answer's probability, summed over its tokens.
        tokens: the number of its tokens.
        greedy: how many of them are the most likely ones where all before them are given (teacher forcing).
    """

    logprob: float
    tokens: int
    greedy: int


@dataclass
class Prefill:
    """A batch of prompts after the model's forward of them; those that go on, left-padded, as rows of a cache.

    Attributes:
        cache: keys and values of all tokens so far.
        mask: (rows, tokens so far), 0 at the padding.
        last: (rows, 1), the position of each row's last token.
        logits: (rows, vocabulary), those of the next token.
        going: the place in the batch of each row.
        said: for each prompt of the batch the tokens that are said already: all of them where it does not go on.
    """

    cache: Cache
    mask: torch.Tensor
    last: torch.Tensor
    logits: torch.Tensor
    going: list[int]
    said: list[list[int]]


Answers = Sequence[Sequence[Sequence[int]]]
"""For each prompt its given answers as tokens, each at least one token and with the end of the turn."""
Scored = tuple[Prefill, list[list[Likelihood]]]
"""A batch's prefill, and the likelihood of each prompt's answers."""
Prefilling = Callable[[Sequence[int]], Scored]
"""From the numbers of a batch's prompts to both."""


def answers_to_score(example: Mapping[str, Any], task: TaskSpec, prompter: Prompter) -> list[list[int]]:
    """Return as tokens the answers of an example whose likelihood is wanted: each label, or the first reference.

    A reference of free text is cut to ``max_new_tokens``: no more room is left for it. An example of free text without
    ``references`` has none.
    """
    if task.labels:
        return [prompter.encode_answer(word) for word in task.label_words]
    if "references" not in example:
        return []
    return [prompter.encode_answer(example["references"][0])[: task.max_new_tokens]]


def likelihoods(
    core: PreTrainedModel, prefill: Prefill, answers: Sequence[Sequence[Sequence[int]]]
) -> list[list[Likelihood]]:
    """Return the likelihood of each answer of each row; the prefill stays as it is.

    The first token of an answer is scored by the logits of the prefill, the others by forwards behind its keys and
    values, of as many answers as fit.

    Args:
        core: the causal language model with the method's layers in it.
        prefill: the batch of prompts.
        answers: for each row its answers, each at least one token and with the end of the turn.
    """
    flat = [(row, list(tokens)) for row, options in enumerate(answers) for tokens in options]
    scored: dict[int, Likelihood] = {}
    for part in _parts([len(tokens) for _, tokens in flat], prefill.mask.shape[1]):
        scored.update(zip(part, _score(core, prefill, [flat[place] for place in part]), strict=True))
    ordered = iter([scored[place] for place in range(len(flat))])
    return [[next(ordered) for _ in options] for options in answers]


def _parts(lengths: Sequence[int], cached: int) -> Iterator[list[int]]:
    """The places of the answers of each forward: those of like length, as many as fit."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        width = lengths[order[0]]
        size = max(1, min(POSITIONS // width, CACHED // (cached + width)))
        yield order[:size]
        order = order[size:]


def _score(core: PreTrainedModel, prefill: Prefill, answers: Sequence[tuple[int, list[int]]]) -> list[Likelihood]:
    """The likelihood of answers, each with the number of its row, by one forward."""
    device, width = prefill.mask.device, max(len(tokens) for _, tokens in answers)
    rows = torch.tensor([row for row, _ in answers], device=device)
    padded = torch.tensor([tokens + [0] * (width - len(tokens)) for _, tokens in answers], device=device)
    there = torch.tensor([[place < len(tokens) for place in range(width)] for _, tokens in answers], device=device)
    parts = [token_logprobs(prefill.logits[rows][:, None], padded[:, :1])]
    if width > 1:
        logits = forward(
            core,
            padded[:, :-1],
            torch.cat([prefill.mask[rows], there[:, :-1].to(prefill.mask.dtype)], dim=1),
            prefill.last[rows] + torch.arange(1, width, device=device),
            _cache_of(prefill.cache, rows),
        ).logits
        parts.append(token_logprobs(logits, padded[:, 1:]))
    logprobs, greedy = (torch.cat(values, dim=1) for values in zip(*parts, strict=True))
    totals, counts = (logprobs * there).sum(1).tolist(), (greedy & there).sum(1).tolist()
    return [
        Likelihood(total, len(tokens), count) for total, count, (_, tokens) in zip(totals, counts, answers, strict=True)
    ]


def token_logprobs(logits: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the log-probability of tokens (rows, places) in fp64, and whether each is the most likely one.

    Args:
        logits: (rows, places, vocabulary), those that predict the tokens.
        tokens: (rows, places).
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    logits = logits - logits.amax(-1, keepdim=True)  # beside a large number the small differences would be rounded off
    chosen = logits.gather(-1, tokens[..., None]).squeeze(-1)
    return chosen.double() - logits.exp().sum(-1, dtype=torch.float64).log(), logits.argmax(-1) == tokens


def _cache_of(cache: Cache, rows: torch.Tensor) -> Cache:
    """A cache of its own for some rows, each as often as it is named."""
    chosen = copy.copy(cache)  # what grows or is selected gets new tensors: copies of the layers are enough
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen
