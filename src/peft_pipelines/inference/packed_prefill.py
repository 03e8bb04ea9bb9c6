"""The first forward of a batch of prompts as trees of tokens.

What prompts begin with alike is run once, a given answer is a branch behind its prompt, and nothing is padded. For
decoding, each prompt's keys and values are then laid out as a row of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from peft_pipelines.models.forward import whole
from peft_pipelines.models.last_layer import end_only_at
from peft_pipelines.models.token_tree import TokenTree, pair_work, run

Tokens = Sequence[int]
AT_ONCE = 32
"""Positions whose probabilities are worked out at once, which takes several times the memory of their logits."""
Ended = Callable[[Tokens], bool]
"""Whether an answer of at least one token is complete."""


def packed(
    attached: Attached, prompts: Sequence[Tokens], answers: Answers, ended: Ended, *, flex: bool = False
) -> Prefilling:
    """Return the function that runs a batch of the prompts, with their answers, as trees of tokens.

    What the model says is followed in the tree as far as a given answer says the same; others go on from there.
    ``flex`` is whether they run by FlexAttention.
    """
    start = attached.start() if attached.start else None

    def of_tree(rows: Sequence[int]) -> Scored:
        texts, given = [prompts[row] for row in rows], [answers[row] for row in rows]
        return _tree_prefill(attached, start, texts, given, ended, flex=flex)

    def prefilling(rows: Sequence[int]) -> Scored:
        parts = [
            [rows[place] for place in part]
            for tree in split_tree([prompts[row] for row in rows], None, pair_work(attached.core))
            for part in _few_positions(tree, [1 + sum(map(len, answers[rows[place]])) for place in tree])
        ]
        return _in_order(rows, parts, [of_tree(part) for part in parts])

    return prefilling


def _in_order(rows: Sequence[int], parts: Sequence[Sequence[int]], done: Sequence[Scored]) -> Scored:
    """What was found for the parts of a batch, as that of the whole batch."""
    order = {row: place for place, row in enumerate(chain(*parts))}
    there = [order[row] for row in rows]
    place_of = {row: place for place, row in enumerate(rows)}
    said = list(chain.from_iterable(prefill.said for prefill, _ in done))
    scored = list(chain.from_iterable(likelihoods for _, likelihoods in done))
    going = [place_of[part[place]] for part, (prefill, _) in zip(parts, done, strict=True) for place in prefill.going]
    joined = _joined([prefill for prefill, _ in done])
    return replace(joined, going=going, said=[said[place] for place in there]), [scored[place] for place in there]


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


def _tree_prefill(
    attached: Attached, start: Cache | None, prompts: Sequence[Tokens], answers: Answers, ended: Ended, *, flex: bool
) -> Scored:
    """The prefill and the likelihoods of one tree."""
    core = attached.core
    asked = [(row, list(answer)) for row, options in enumerate(answers) for answer in options]
    branches = [[*prompts[row], *answer[:-1]] for row, answer in asked]
    tree = TokenTree.of([*branches, *prompts], core.device)
    paths = tree.paths[len(asked) :]
    behind = [path[len(prompts[row]) - 1 :] for path, (row, _) in zip(tree.paths, asked, strict=False)]
    places = {node: place for place, node in enumerate(dict.fromkeys(chain((path[-1] for path in paths), *behind)))}
    nodes = torch.tensor(list(places), device=core.device)
    cache = whole(start)
    before = cache.get_seq_length()
    with end_only_at(core, (torch.zeros_like(nodes), nodes)):
        logits = run(core, tree, cache, flex=flex).logits[0]
    predicting = torch.tensor([places[node] for node in chain(*behind)], dtype=torch.long, device=core.device)
    scored = iter(_likelihoods(logits, predicting, [answer for _, answer in asked]))
    likelihoods = [[next(scored) for _ in options] for options in answers]
    chosen = dict(zip(places, logits.argmax(-1).tolist(), strict=True))
    said, ways = zip(*(_followed(tree, path, chosen, ended) for path in paths), strict=True)
    going = [row for row, tokens in enumerate(said) if not (tokens and ended(tokens))]
    ends = torch.tensor([places[ways[row][-1]] for row in going], dtype=torch.long, device=core.device)
    return _rows(cache, before, [ways[row] for row in going], logits[ends], going, list(said)), likelihoods


def _followed(
    tree: TokenTree, path: Sequence[int], chosen: Mapping[int, int], ended: Ended
) -> tuple[list[int], list[int]]:
    """What is said behind a prompt's path as far as the tree goes, and the path with it.

    ``chosen`` is by node the most likely next token. An answer that is complete has its last token, which is no node.
    """
    said: list[int] = []
    way = list(path)
    while True:
        token = chosen[way[-1]]
        if ended([*said, token]):
            return [*said, token], way
        node = tree.children.get((way[-1], token), -1)
        if node not in chosen:
            return said, way
        said, way = [*said, token], [*way, node]


def _likelihoods(logits: torch.Tensor, predicting: torch.Tensor, answers: Sequence[Tokens]) -> list[Likelihood]:
    """The likelihoods of answers; ``predicting`` gives for each of their tokens the row of logits that predicts it."""
    if not answers:
        return []
    tokens = torch.tensor(list(chain(*answers)), device=logits.device)
    spans = [slice(first, first + AT_ONCE) for first in range(0, len(tokens), AT_ONCE)]
    parts = [token_logprobs(logits[predicting[span]][None], tokens[None, span]) for span in spans]
    logprobs, greedy = (torch.cat(values, dim=1)[0].tolist() for values in zip(*parts, strict=True))
    ends = list(accumulate(map(len, answers)))
    spans = [slice(end - len(answer), end) for end, answer in zip(ends, answers, strict=True)]
    return [Likelihood(sum(logprobs[span]), span.stop - span.start, sum(greedy[span])) for span in spans]


def _rows(
    cache: Cache,
    before: int,
    paths: Sequence[Sequence[int]],
    logits: torch.Tensor,
    going: list[int],
    said: list[list[int]],
) -> Prefill:
    """The keys and values of a tree's paths as left-padded rows."""
    width = max(map(len, paths), default=0)
    soft = list(range(before))
    index = torch.tensor(
        [[*soft, *[0] * (width - len(path)), *(before + node for node in path)] for path in paths],
        dtype=torch.long,
        device=logits.device,
    )
    mask = torch.tensor(
        [[1] * before + [0] * (width - len(path)) + [1] * len(path) for path in paths], device=logits.device
    )
    rows = DynamicCache()
    for number, layer in enumerate(cache.layers if paths else ()):
        keys, values = (kept[0][:, index].transpose(0, 1).contiguous() for kept in (layer.keys, layer.values))
        rows.update(keys, values, number)
    last = torch.tensor([[before + len(path) - 1] for path in paths], device=logits.device)
    return Prefill(rows, mask, last, logits, going, said)


def _joined(parts: Sequence[Prefill]) -> Prefill:
    """The rows of prefills as those of one, padded to the widest of them."""
    some = [part for part in parts if part.going] or parts[:1]
    if len(some) == 1:
        return some[0]
    width = max(part.mask.shape[1] for part in some)
    cache = DynamicCache()
    for number in range(len(some[0].cache.layers)):
        layers = [part.cache.layers[number] for part in some]
        cache.update(
            torch.cat([_wide(layer.keys, width) for layer in layers]),
            torch.cat([_wide(layer.values, width) for layer in layers]),
            number,
        )
    return replace(
        some[0],
        cache=cache,
        mask=torch.cat([torch.nn.functional.pad(part.mask, (width - part.mask.shape[1], 0)) for part in some]),
        last=torch.cat([part.last for part in some]),
        logits=torch.cat([part.logits for part in some]),
    )


def _wide(kept: torch.Tensor, width: int) -> torch.Tensor:
    """Keys or values (rows, heads, tokens, width of a head) with padding on the left."""
    return torch.nn.functional.pad(kept, (0, 0, width - kept.shape[2], 0))
