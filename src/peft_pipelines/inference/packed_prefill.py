"""The first forward of a batch of prompts as trees of tokens.

What prompts begin with alike is run once, a given answer is a branch behind its prompt, and nothing is padded. For
decoding, each prompt's keys and values are then laid out as a row of its own.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain

import torch
from transformers import Cache, DynamicCache

from peft_pipelines.data.batching import split_tree
from peft_pipelines.inference.loglikelihood import (
    POSITIONS,
    Answers,
    Likelihood,
    Prefill,
    Prefilling,
    Scored,
    token_logprobs,
)
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.forward import head_only_at
from peft_pipelines.models.token_tree import TokenTree, pair_work, run

Tokens = Sequence[int]


def packed(attached: Attached, prompts: Sequence[Tokens], answers: Answers) -> Prefilling:
    """Return the function that runs a batch of the prompts, with their answers, as trees of tokens."""
    start = attached.start() if attached.start else None
    return lambda rows: _packed(attached, start, [prompts[row] for row in rows], [answers[row] for row in rows])


def _packed(attached: Attached, start: Cache | None, prompts: Sequence[Tokens], answers: Answers) -> Scored:
    """The prefill of a batch behind the keys and values of the soft prompt, if any, and the answers' likelihoods."""
    parts = [
        part
        for rows in split_tree(prompts, None, pair_work(attached.core))
        for part in _few_positions(rows, [1 + sum(map(len, answers[row])) for row in rows])
    ]
    done = [
        _tree_prefill(attached, start, [prompts[row] for row in rows], [answers[row] for row in rows]) for rows in parts
    ]
    order = {row: place for place, row in enumerate(chain(*parts))}
    back = torch.tensor([order[row] for row in range(len(prompts))], device=attached.core.device)
    prefill = _joined([prefill for prefill, _ in done])
    prefill.cache.batch_select_indices(back)
    scored = list(chain.from_iterable(likelihoods for _, likelihoods in done))
    return (
        Prefill(prefill.cache, prefill.mask[back], prefill.last[back], prefill.logits[back]),
        [scored[place] for place in back.tolist()],
    )


def _few_positions(rows: Sequence[int], wanted: Sequence[int]) -> Iterator[list[int]]:
    """The rows in parts with logits at ``POSITIONS`` positions at most, or of one row."""
    part: list[int] = []
    total = 0
    for row, positions in zip(rows, wanted, strict=True):
        if part and total + positions > POSITIONS:
            yield part
            part, total = [], 0
        part, total = [*part, row], total + positions
    yield part


def _tree_prefill(attached: Attached, start: Cache | None, prompts: Sequence[Tokens], answers: Answers) -> Scored:
    """The prefill and the likelihoods of one tree."""
    core = attached.core
    asked = [(row, list(answer)) for row, options in enumerate(answers) for answer in options]
    branches = [[*prompts[row], *answer[:-1]] for row, answer in asked]
    tree = TokenTree.of([*prompts, *branches], core.device)
    ends = [path[-1] for path in tree.paths[: len(prompts)]]
    behind = [path[len(prompts[row]) - 1 :] for path, (row, _) in zip(tree.paths[len(prompts) :], asked, strict=True)]
    places = torch.tensor([*ends, *chain(*behind)], device=core.device)
    cache = _whole(start)
    before = cache.get_seq_length()
    with head_only_at(core, (torch.zeros_like(places), places)):
        logits = run(core, tree, cache).logits[0]
    scored = _likelihoods(logits[len(ends) :], [answer for _, answer in asked])
    ordered = iter(scored)
    likelihoods = [[next(ordered) for _ in options] for options in answers]
    return _rows(cache, before, tree.paths[: len(prompts)], logits[: len(ends)]), likelihoods


def _likelihoods(logits: torch.Tensor, answers: Sequence[Tokens]) -> list[Likelihood]:
    """The likelihoods of answers whose tokens the logits (tokens of all answers, vocabulary) predict."""
    if not answers:
        return []
    tokens = torch.tensor([list(chain(*answers))], device=logits.device)
    logprobs, greedy = (values[0].tolist() for values in token_logprobs(logits[None], tokens))
    ends = list(accumulate(map(len, answers)))
    spans = [slice(end - len(answer), end) for end, answer in zip(ends, answers, strict=True)]
    return [Likelihood(sum(logprobs[span]), span.stop - span.start, sum(greedy[span])) for span in spans]


def _whole(start: Cache | None) -> Cache:
    """A cache that forgets no token, behind a soft prompt: a tree is longer than any of its rows."""
    cache = DynamicCache()
    for number, layer in enumerate(start.layers if start is not None else ()):
        cache.update(layer.keys, layer.values, number)
    return cache


def _rows(cache: Cache, before: int, paths: Sequence[Sequence[int]], logits: torch.Tensor) -> Prefill:
    """The keys and values of a tree's prompts as left-padded rows."""
    width = max(map(len, paths))
    soft = list(range(before))
    index = torch.tensor(
        [[*soft, *[0] * (width - len(path)), *(before + node for node in path)] for path in paths], device=logits.device
    )
    mask = torch.tensor(
        [[1] * before + [0] * (width - len(path)) + [1] * len(path) for path in paths], device=logits.device
    )
    rows = DynamicCache()
    for number, layer in enumerate(cache.layers):
        keys, values = (kept[0][:, index].transpose(0, 1).contiguous() for kept in (layer.keys, layer.values))
        rows.update(keys, values, number)
    last = torch.tensor([[before + len(path) - 1] for path in paths], device=logits.device)
    return Prefill(rows, mask, last, logits)


def _joined(parts: Sequence[Prefill]) -> Prefill:
    """Prefills as one, padded to the widest of them."""
    width = max(part.mask.shape[1] for part in parts)
    cache = DynamicCache()
    for number in range(len(parts[0].cache.layers)):
        layers = [part.cache.layers[number] for part in parts]
        cache.update(
            torch.cat([_wide(layer.keys, width) for layer in layers]),
            torch.cat([_wide(layer.values, width) for layer in layers]),
            number,
        )
    return Prefill(
        cache,
        torch.cat([torch.nn.functional.pad(part.mask, (width - part.mask.shape[1], 0)) for part in parts]),
        torch.cat([part.last for part in parts]),
        torch.cat([part.logits for part in parts]),
    )


def _wide(kept: torch.Tensor, width: int) -> torch.Tensor:
    """Keys or values (rows, heads, tokens, width of a head) with padding on the left."""
    return torch.nn.functional.pad(kept, (0, 0, width - kept.shape[2], 0))
