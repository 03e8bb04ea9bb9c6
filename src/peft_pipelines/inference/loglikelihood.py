"""How likely given answers are behind prompts whose keys and values are at hand: one small forward for all of them.

An answer is its words and the end of the turn, as in training: a label that only begins what the model would say is
not its answer. The log-likelihood is the sum over these tokens, not divided by their number: of all that a model may
say, that is the chance of saying this. A label of more tokens is as a rule the less likely one; a tuned model has
learnt that the last tokens of a word follow from its first.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import Cache, PreTrainedModel

from peft_pipelines.models.forward import forward

POSITIONS, CACHED = 256, 8192
"""What a forward may hold at once: positions with logits, tokens with keys and values. More is seen in peak memory."""


@dataclass(frozen=True)
class Likelihood:
    """One answer behind one prompt: the log of its probability, its tokens, and how many of them would be chosen.

    ``right`` counts the tokens that are the most likely ones where all before them are given (teacher forcing).
    """

    logprob: float
    tokens: int
    right: int


@dataclass
class Prompted:
    """A batch that has read its prompts, left-padded.

    ``mask`` (rows, tokens so far) hides the padding, ``last`` (rows, 1) is the position of each prompt's last token,
    ``logits`` (rows, vocabulary) say what comes next.
    """

    cache: Cache
    mask: torch.Tensor
    last: torch.Tensor
    logits: torch.Tensor


def likelihoods(
    core: PreTrainedModel, prompted: Prompted, answers: Sequence[Sequence[Sequence[int]]]
) -> list[list[Likelihood]]:
    """The likelihood of each answer of each row. The batch is left as it was.

    The first token of an answer is judged by what the prompts have said already; the others by forwards behind the
    prompts' keys and values, of as many answers as fit.

    Args:
        core: the causal language model with the method's layers in it.
        prompted: what it made of the prompts.
        answers: for each row its answers, each at least one token and with the end of the turn.
    """
    flat = [(row, list(tokens)) for row, options in enumerate(answers) for tokens in options]
    found: dict[int, Likelihood] = {}
    for part in _parts([len(tokens) for _, tokens in flat], prompted.mask.shape[1]):
        found.update(zip(part, _judged(core, prompted, [flat[place] for place in part]), strict=True))
    ordered = iter([found[place] for place in range(len(flat))])
    return [[next(ordered) for _ in options] for options in answers]


def _parts(lengths: Sequence[int], cached: int) -> Iterator[list[int]]:
    """The places of answers that go through the model together: those of like length, as many as fit."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        width = lengths[order[0]]
        size = max(1, min(POSITIONS // width, CACHED // (cached + width)))
        yield order[:size]
        order = order[size:]


def _judged(core: PreTrainedModel, prompted: Prompted, answers: Sequence[tuple[int, list[int]]]) -> list[Likelihood]:
    """The likelihood of answers, each with the number of its row."""
    device, width = prompted.mask.device, max(len(tokens) for _, tokens in answers)
    rows = torch.tensor([row for row, _ in answers], device=device)
    padded = torch.tensor([tokens + [0] * (width - len(tokens)) for _, tokens in answers], device=device)
    there = torch.tensor([[place < len(tokens) for place in range(width)] for _, tokens in answers], device=device)
    parts = [_chosen(prompted.logits[rows][:, None], padded[:, :1])]
    if width > 1:
        logits = forward(
            core,
            padded[:, :-1],
            torch.cat([prompted.mask[rows], there[:, :-1].to(prompted.mask.dtype)], dim=1),
            prompted.last[rows] + torch.arange(1, width, device=device),
            _of_rows(prompted.cache, rows),
        ).logits
        parts.append(_chosen(logits, padded[:, 1:]))
    logprobs, right = (torch.cat(values, dim=1) for values in zip(*parts, strict=True))
    totals, counts = (logprobs * there).sum(1).tolist(), (right & there).sum(1).tolist()
    return [
        Likelihood(total, len(tokens), count) for total, count, (_, tokens) in zip(totals, counts, answers, strict=True)
    ]


def _chosen(logits: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of tokens (rows, places) the log-probability, and whether each is the most likely one."""
    logits = logits - logits.amax(-1, keepdim=True)  # beside a large number the small differences would be rounded off
    chosen = logits.gather(-1, tokens[..., None]).squeeze(-1)
    return chosen.double() - logits.float().exp().sum(-1, dtype=torch.float64).log(), logits.argmax(-1) == tokens


def _of_rows(cache: Cache, rows: torch.Tensor) -> Cache:
    """A cache of its own for some rows, each as often as it is named."""
    chosen = copy.copy(cache)  # what grows or is selected gets new tensors: copies of the layers are enough
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen
