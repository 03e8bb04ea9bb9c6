"""Which rows meet in a batch, and in which order: by seed and epoch, with rows of like length together.

And what the rows of a batch begin with.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any


class Batches:
    """Row numbers in batches, in an order that seed and epoch decide.

    Bucketed batches hold rows of like length: rows are shuffled, sorted by length within chunks of many batches, cut
    into batches, and the batches shuffled. Where rows are of several kinds, each batch holds rows of one.
    """

    CHUNK = 50
    """Batches a chunk: enough that little padding is left, few enough that batches stay mixed."""

    def __init__(
        self, lengths: Sequence[int], size: int, seed: int, *, bucketed: bool, kinds: Sequence[int] = ()
    ) -> None:
        self.kinds = kinds or [0] * len(lengths)
        self.lengths, self.batch_size, self.seed, self.bucketed = lengths, size, seed, bucketed
        self.epoch = 0
        self.drop_last = False
        self.sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(math.ceil(count / self.batch_size) for count in Counter(self.kinds).values())

    def __iter__(self) -> Iterator[list[int]]:
        order = random.Random(f"{self.seed} {self.epoch}")
        rows = list(range(len(self.lengths)))
        order.shuffle(rows)
        kinds = [[row for row in rows if self.kinds[row] == kind] for kind in sorted(set(self.kinds))]
        batches = [batch for part in kinds for batch in self._cut(part)]
        if self.bucketed or len(kinds) > 1:
            order.shuffle(batches)
        yield from batches

    def _cut(self, rows: list[int]) -> list[list[int]]:
        if not self.bucketed:
            return cut(rows, self.batch_size)
        chunks = cut(rows, self.batch_size * self.CHUNK)
        ordered = [row for chunk in chunks for row in sorted(chunk, key=lambda row: self.lengths[row])]
        return cut(ordered, self.batch_size)

    def tokens(self, steps: int, batches_a_step: int) -> int:
        """Tokens of the rows of so many steps from the first epoch on; a step does not reach into the next epoch.

        >>> Batches([5, 7, 2], 2, seed=0, bucketed=False).tokens(4, 1)
        28
        """
        found, epoch = 0, self.epoch
        a_epoch = math.ceil(len(self) / batches_a_step)
        for self.epoch in range(math.ceil(steps / a_epoch)):
            taken = list(self)[: (steps - self.epoch * a_epoch) * batches_a_step]
            found += sum(self.lengths[row] for batch in taken for row in batch)
        self.epoch = epoch
        return found


def cut(items: Sequence[Any], size: int) -> list[Any]:
    """A sequence in pieces of ``size``, the last one perhaps shorter.

    >>> cut([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [items[first : first + size] for first in range(0, len(items), size)]


def within(lengths: Sequence[int], tokens: int | None) -> list[list[int]]:
    """Row numbers in parts of a batch whose rows times longest length stay within ``tokens``; None for any number.

    A batch that does so stays as it is; in others rows of like length come together. A row that is too long by itself
    is a part of its own.

    >>> within([30, 10, 20], 100), within([30, 10, 20], 40), within([30, 10, 20], 15)
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


def shared_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The tokens that all rows begin with, but for the last token of each, which must still predict the next one.

    >>> shared_prefix([[1, 2, 3, 4], [1, 2, 9]])
    [1, 2]
    >>> shared_prefix([[1, 2], [1, 2]])
    [1]
    """
    first, last = min(map(list, rows)), max(map(list, rows))
    longest = min(map(len, rows)) - 1
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), longest)
    return list(first[: min(same, longest)])
