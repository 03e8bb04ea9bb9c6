"""A batch's tree of tokens in branches, so that the memory of one is freed before the next one runs.

What the examples of a branch begin with, its trunk, runs once; the branches behind it run one after another, each
forward and backward. Only the activations of one branch and of the trunks before it are held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, combinations, groupby, pairwise

from peft_pipelines.data.batching import common

TOKENS = {"cpu": 256}
"""By kind of device the most tokens of a branch. A product of fewer rows takes longer a row (docs/speed.md), and on
another device each forward has costs of its own: there ``tokens_per_forward`` alone counts."""

TRUNK = 32
"""What a forward of its own costs, in tokens: less is run again in each branch instead."""


@dataclass(frozen=True)
class Branch:
    """Examples that run together, or one after another behind the tokens they share.

    Attributes:
        rows: the numbers of the examples.
        trunk: the tokens that they share and that run before ``parts``, behind the trunks of the branches around.
        parts: what runs one after another; empty where all run at once.
    """

    rows: list[int]
    trunk: int = 0
    parts: list["Branch"] = field(default_factory=list)

    def leaves(self) -> list["Branch"]:
        """Return the branches that run at once, in their order."""
        return [leaf for part in self.parts for leaf in part.leaves()] if self.parts else [self]


def branches(rows: Sequence[Sequence[int]], ends: Sequence[int], tokens: int) -> Branch:
    """Return a batch as a branch whose leaves have ``tokens`` nodes at most, or are of one example.

    Args:
        rows: the tokens of each example.
        ends: for each example how many of its tokens may be in a trunk.
        tokens: the most nodes of a leaf, its trunks left out.

    >>> found = branches([[*range(40), 1, 2], [*range(40), 3], [*range(40), 1, 4]], [40] * 3, 3)
    >>> found.trunk, [part.rows for part in found.parts]
    (40, [[0, 2], [1]])
    """
    order = sorted(range(len(rows)), key=lambda row: list(rows[row]))
    return _branch(order, rows, ends, 0, tokens)


def _branch(order: list[int], rows: Sequence[Sequence[int]], ends: Sequence[int], start: int, tokens: int) -> Branch:
    """The branch of some examples, in the order of their tokens, behind their first ``start`` tokens."""
    if len(order) == 1 or _nodes(order, rows, start) <= tokens:
        return Branch(order)
    trunk = min(common(rows[order[0]], rows[order[-1]]), *(ends[row] for row in order)) - start
    groups = _groups(order, rows, start + trunk, tokens)
    if len(groups) == 1:
        return Branch(order)
    if trunk * (len(groups) - 1) < TRUNK:
        trunk = 0
    return Branch(order, trunk, [_branch(group, rows, ends, start + trunk, tokens) for group in groups])


def _groups(order: list[int], rows: Sequence[Sequence[int]], start: int, tokens: int) -> list[list[int]]:
    """Examples in as few groups as hold ``tokens`` nodes each, the largest of them as small as it can be.

    What begins alike behind ``start`` stays together, also where it has more nodes.
    """
    twigs = [list(twig) for _, twig in groupby(order, key=lambda row: rows[row][start])]
    until = [0, *accumulate(_nodes(twig, rows, start) for twig in twigs)]
    few = len(_cut(until, tokens))
    limits = sorted({end - first for first, end in combinations(until, 2)})
    cuts = next(found for limit in limits if len(found := _cut(until, limit)) <= few)
    return [[row for twig in twigs[first:end] for row in twig] for first, end in pairwise([0, *cuts])]


def _cut(until: Sequence[int], limit: int) -> list[int]:
    """Where groups of neighbours end that hold ``limit`` each, or one neighbour; ``until`` adds up what they hold."""
    ends, first = [], 0
    for place in range(1, len(until)):
        if until[place] - until[first] > limit and place - 1 > first:
            first = place - 1
            ends.append(first)
    return [*ends, len(until) - 1]


def _nodes(order: list[int], rows: Sequence[Sequence[int]], start: int) -> int:
    """The nodes behind the first ``start`` tokens of examples that are in the order of their tokens."""
    known = [start, *(max(start, common(rows[one], rows[other])) for one, other in pairwise(order))]
    return sum(len(rows[row]) - before for row, before in zip(order, known, strict=True))
