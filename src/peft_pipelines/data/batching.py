"""Batches of examples: their order by seed and epoch, buckets of like length, and the tokens that all begin with."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any


class Batches:
    """Sampler of batches of example numbers, in an order that seed and epoch decide.

    Bucketed, a batch holds examples of like length: they are shuffled, sorted by length within chunks of many batches,
    cut into batches, and the batches shuffled. Where ``tasks`` names the task of each example, a batch holds examples
    of one task. Where ``groups`` names what examples share, those of a group follow each other, so that they meet in
    batches: whole groups are shuffled, and the examples in each of them.

    Args:
        lengths: the tokens of each example.
        size: examples of a batch.
        seed: decides the order, with the epoch.
        bucketed: whether batches hold examples of like length.
        tasks: the number of each example's task, where there are several.
        groups: the group of each example, empty for one that belongs to none.

    >>> batches = Batches([3] * 4, 2, seed=0, bucketed=True, groups=["a", "b", "a", "b"])
    >>> sorted(sorted(batch) for batch in batches)
    [[0, 2], [1, 3]]
    """

    CHUNK = 50
    """Batches a chunk: enough that little padding is left, few enough that batches stay mixed."""

    def __init__(
        self,
        lengths: Sequence[int],
        size: int,
        seed: int,
        *,
        bucketed: bool,
        tasks: Sequence[int] = (),
        groups: Sequence[str] = (),
    ) -> None:
        self.groups = [group or row for row, group in enumerate(groups)] or list(range(len(lengths)))
        self.longest = {group: 0 for group in self.groups}
        for group, length in zip(self.groups, lengths, strict=True):
            self.longest[group] = max(self.longest[group], length)
        self.tasks = tasks or [0] * len(lengths)
        self.lengths, self.batch_size, self.seed, self.bucketed = lengths, size, seed, bucketed
        self.epoch = 0
        self.drop_last = False
        self.sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(math.ceil(count / self.batch_size) for count in Counter(self.tasks).values())

    def __iter__(self) -> Iterator[list[int]]:
        order = random.Random(f"{self.seed} {self.epoch}")
        rows = list(range(len(self.lengths)))
        order.shuffle(rows)
        first: dict[str | int, int] = {}
        for place, row in enumerate(rows):
            first.setdefault(self.groups[row], place)
        rows.sort(key=lambda row: first[self.groups[row]])
        by_task = [[row for row in rows if self.tasks[row] == task] for task in sorted(set(self.tasks))]
        batches = [batch for part in by_task for batch in self._batches(part)]
        if self.bucketed or len(by_task) > 1:
            order.shuffle(batches)
        yield from batches

    def _batches(self, rows: list[int]) -> list[list[int]]:
        if not self.bucketed:
            return chunks(rows, self.batch_size)
        mixed = chunks(rows, self.batch_size * self.CHUNK)
        ordered = [row for chunk in mixed for row in sorted(chunk, key=lambda row: self.longest[self.groups[row]])]
        return chunks(ordered, self.batch_size)

    def tokens(self, steps: int, batches_a_step: int) -> int:
        """Count the tokens of the examples of so many optimizer steps; a step does not reach into the next epoch.

        >>> Batches([5, 7, 2], 2, seed=0, bucketed=False).tokens(4, 1)
        28
        """
        total, epoch = 0, self.epoch
        a_epoch = math.ceil(len(self) / batches_a_step)
        for self.epoch in range(math.ceil(steps / a_epoch)):
            taken = list(self)[: (steps - self.epoch * a_epoch) * batches_a_step]
            total += sum(self.lengths[row] for batch in taken for row in batch)
        self.epoch = epoch
        return total


def chunks(items: Sequence[Any], size: int) -> list[Any]:
    """Split a sequence into pieces of ``size``, the last one perhaps shorter.

    >>> chunks([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [items[first : first + size] for first in range(0, len(items), size)]


def split_batch(lengths: Sequence[int], tokens: int | None) -> list[list[int]]:
    """Split a batch so that no part, padded, has more than ``tokens`` tokens; None for no limit.

    A batch within the limit stays as it is; in others rows of like length come together. A row that is too long by
    itself is a part of its own.

    Returns:
        The row numbers of each part.

    >>> split_batch([30, 10, 20], 100), split_batch([30, 10, 20], 40), split_batch([30, 10, 20], 15)
    ([[0, 1, 2]], [[1, 2], [0]], [[1], [2], [0]])
    """
    if tokens is None or len(lengths) * max(lengths) <= tokens:
        return [list(range(len(lengths)))]
    parts: list[list[int]] = [[]]
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if parts[-1] and (len(parts[-1]) + 1) * lengths[row] > tokens:
            parts.append([])
        parts[-1].append(row)
    return parts


def split_tree(rows: Sequence[Sequence[int]], tokens: int | None, pair: float) -> list[list[int]]:
    """Split rows into the trees of least work, none of more than ``tokens`` nodes; None for no limit.

    The work of a tree of n nodes is n + ``pair`` n², in that of a token: one tree runs shared tokens once, but each of
    its tokens is compared with all others. Rows are taken in the order of their tokens, so that neighbours share most.
    A row that is too long by itself is a tree of its own.

    Returns:
        The row numbers of each tree.

    >>> rows = [[1, 2, 3], [9, 9, 9], [1, 4, 5]]
    >>> split_tree(rows, None, 0), split_tree(rows, 5, 0), split_tree(rows, None, 1)
    ([[0, 2, 1]], [[0, 2], [1]], [[0], [2], [1]])
    """
    order = sorted(range(len(rows)), key=lambda row: list(rows[row]))
    added = [len(row) - common(row, before) for before, row in pairwise([[], *(rows[number] for number in order)])]
    until = [0, *accumulate(added)]  # the nodes that the first rows add to one tree
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(order) + 1):
        options = []
        for first in range(end):
            nodes = until[end] - until[first + 1] + len(rows[order[first]])
            if tokens is None or nodes <= tokens or first == end - 1:
                options.append((best[first][0] + nodes + pair * nodes**2, first))
        best.append(min(options))
    parts: list[list[int]] = []
    end = len(order)
    while end:
        start = best[end][1]
        parts.insert(0, order[start:end])
        end = start
    return parts


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two rows begin with alike.

    >>> common([1, 2, 3], [1, 2])
    2
    """
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def shared_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the tokens that all rows begin with, but for the last token of each, which must still predict the next.

    >>> shared_prefix([[1, 2, 3, 4], [1, 2, 9]])
    [1, 2]
    >>> shared_prefix([[1, 2], [1, 2]])
    [1]
    """
    first, last = min(map(list, rows)), max(map(list, rows))
    longest = min(map(len, rows)) - 1
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), longest)
    return list(first[: min(same, longest)])
