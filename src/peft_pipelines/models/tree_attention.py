"""Attention along the paths of a tree of tokens, without a mask of all its nodes.

The nodes of a tree stand in runs: what one example adds to those before it, each token behind the one before. A run's
queries meet the keys of its own path alone, as one of a few short rows, so that tokens of different examples are never
compared. The numbers are those of the dense mask (``tree_mask``).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, Cache, PreTrainedModel

from peft_pipelines.models.forward import placed
from peft_pipelines.models.tree_mask import kept, kinds_of, window_of

NAME = "peft_pipelines_tree"
MOST_QUERIES = 128
"""Of a row: a longer run is cut, so that its first tokens are not compared with its last ones."""
A_CALL = 2000
"""The work of one more call of the attention, in that of comparing two tokens."""

Run = tuple[Sequence[int], int]
"""The path from the root to the last node of a run, and how many nodes at the end of it are the run's own."""


@dataclass(frozen=True)
class Rows:
    """Runs of like length as rows of queries and keys, right-padded with place 0.

    Attributes:
        queries: nodes (rows, width).
        keys: places among cached and new tokens (rows, length).
        mask: (rows, 1, width, length), added to the scores, 0 or minus infinity.
    """

    queries: torch.Tensor
    keys: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class Plan:
    """All runs of a tree as rows; ``back`` is the place of each node (nodes) among the queries of all of them."""

    rows: list[Rows]
    back: torch.Tensor


def allows(core: PreTrainedModel) -> bool:
    """Whether the model takes its attention from the library's registry, and runs its layers once a forward."""
    run_again = core.training and getattr(core, "is_gradient_checkpointing", False)
    registry = getattr(core, "_supports_attention_backend", False)
    return bool(registry and core.config._attn_implementation == "sdpa" and not run_again)


@contextmanager
def attending(
    core: PreTrainedModel, paths: Sequence[Sequence[int]], cache: Cache | None
) -> Iterator[dict[str, torch.Tensor]]:
    """Let the model's layers attend along the paths of a tree in a block; yields by kind of layer the mask to give it.

    Args:
        core: a model that ``allows`` lets through.
        paths: for each example the node of each of its tokens.
        cache: keys and values before the tree, of one row; None for none.
    """
    kinds = kinds_of(core)
    plans = {kind: _plan(core, runs(paths), cache, kinds.index(kind)) for kind in dict.fromkeys(kinds)}

    def attend(
        module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *unread: Any, **options: Any
    ) -> tuple[torch.Tensor, None]:
        plan = plans[kinds[module.layer_idx] if len(plans) > 1 else kinds[0]]
        scale, dropout = options.get("scaling"), options.get("dropout", 0.0)
        attention = partial(functional.scaled_dot_product_attention, scale=scale, dropout_p=dropout)
        return _attend(plan, query, key, value, attention), None

    with attended_by(core, attend) as masks:
        yield masks


@contextmanager
def attended_by(core: PreTrainedModel, attend: Callable[..., Any]) -> Iterator[dict[str, torch.Tensor]]:
    """Let the model's layers attend by a function of the library's registry in a block.

    Yields by kind of layer the mask to give it, which is a blank: the function knows what its tokens see.
    """
    AttentionInterface.register(NAME, attend)
    usual, core.config._attn_implementation = core.config._attn_implementation, NAME
    blank = torch.zeros(1, 1, 1, 1, dtype=core.dtype, device=core.device)  # of 4 dimensions: it is handed on as it is
    try:
        yield dict.fromkeys(kinds_of(core), blank)
    finally:
        core.config._attn_implementation = usual


def runs(paths: Sequence[Sequence[int]]) -> list[Run]:
    """Return the runs of a tree whose nodes are numbered in the order of its examples.

    >>> runs([[0, 1, 2], [0, 3], [0, 3]])
    [([0, 1, 2], 3), ([0, 3], 1)]
    """
    known, found = 0, []
    for path in paths:
        first = next((place for place, node in enumerate(path) if node >= known), len(path))
        known += len(path) - first
        starts = range(first, len(path), MOST_QUERIES)
        found += [(path[: start + MOST_QUERIES], len(path[start : start + MOST_QUERIES])) for start in starts]
    return found


def alike(found: Sequence[Run]) -> list[list[Run]]:
    """Return runs in groups of like length, those of least work where each group is padded to its longest run."""
    order = sorted(found, key=lambda run: (run[1], len(run[0])))
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(order) + 1):
        longest, options = 0, []
        for first in range(end - 1, -1, -1):
            longest = max(longest, len(order[first][0]))
            options.append((best[first][0] + (end - first) * order[end - 1][1] * longest + A_CALL, first))
        best.append(min(options))
    groups, end = [], len(order)
    while end:
        groups.append(order[best[end][1] : end])
        end = best[end][1]
    return groups


def _plan(core: PreTrainedModel, found: Sequence[Run], cache: Cache | None, layer: int) -> Plan:
    nodes, device = sum(own for _, own in found), core.device
    cached, window = kept(cache, nodes, layer, device), window_of(core, layer)
    rows, order = [], []
    for group in alike(found):
        width, length = max(own for _, own in group), max(len(path) for path, _ in group)
        queries = [[*path[len(path) - own :], *[-1] * (width - own)] for path, own in group]
        keys = [[*path, *[-cached] * (length - len(path))] for path, _ in group]
        first = placed(torch.tensor([len(path) - own for path, own in group]), device)
        behind = cached + first[:, None, None] + torch.arange(width, device=device)[:, None]
        distance = behind - torch.arange(cached + length, device=device)
        hidden = (distance < 0) if window is None else (distance < 0) | (distance >= window)
        mask = torch.zeros(hidden.shape, dtype=core.dtype, device=device).masked_fill(hidden, -torch.inf)
        before = torch.arange(cached, device=device).expand(len(group), cached)
        places = torch.cat([before, placed(torch.tensor(keys), device) + cached], dim=1)
        order += [node for row in queries for node in row]
        rows.append(Rows(placed(torch.tensor(queries).clamp(min=0), device), places, mask[:, None]))
    back = {node: place for place, node in enumerate(order)}
    return Plan(rows, placed(torch.tensor([back[node] for node in range(nodes)]), device))


def _attend(
    plan: Plan, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention: Callable[..., torch.Tensor]
) -> torch.Tensor:
    """The attention's output (1, nodes, heads, width of a head) for arguments (1, heads, tokens, width of a head)."""
    queries, keys, values = (side[0].transpose(0, 1).flatten(1) for side in (query, key, value))
    heads, shared = query.shape[1], key.shape[1]
    parts = []
    for rows in plan.rows:
        count, width = rows.queries.shape
        # several heads of queries share one of keys: they stand behind each other as queries of that one
        asked = functional.embedding(rows.queries, queries).view(count, width, shared, heads // shared, -1)
        output = attention(
            asked.permute(0, 2, 3, 1, 4).flatten(2, 3),
            functional.embedding(rows.keys, keys).view(*rows.keys.shape, shared, -1).transpose(1, 2),
            functional.embedding(rows.keys, values).view(*rows.keys.shape, shared, -1).transpose(1, 2),
            attn_mask=rows.mask.expand(-1, heads // shared, -1, -1).flatten(1, 2)[:, None],
        )
        output = output.view(count, shared, heads // shared, width, -1).permute(0, 3, 1, 2, 4)
        parts.append(output.reshape(count * width, -1))
    return functional.embedding(plan.back, torch.cat(parts)).view(1, len(plan.back), heads, -1)
