"""Which rows meet in a batch, and in which order: by seed and epoch, with rows of like length together."""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any


class Batches:
    """Row numbers in batches, in an order that seed and epoch decide.

    Bucketed batches hold rows of like length: rows are shuffled, sorted by length within chunks of many batches, cut
    into batches, and the batches shuffled.
    """

    CHUNK = 50
    """Batches a chunk: enough that little padding is left, few enough that batches stay mixed."""

    def __init__(self, lengths: Sequence[int], size: int, seed: int, *, bucketed: bool) -> None:
        self.lengths, self.batch_size, self.seed, self.bucketed = lengths, size, seed, bucketed
        self.epoch = 0
        self.drop_last = False
        self.sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = random.Random(f"{self.seed} {self.epoch}")
        rows = list(range(len(self.lengths)))
        order.shuffle(rows)
        if not self.bucketed:
            yield from cut(rows, self.batch_size)
            return
        chunks = cut(rows, self.batch_size * self.CHUNK)
        ordered = [row for chunk in chunks for row in sorted(chunk, key=lambda row: self.lengths[row])]
        batches = cut(ordered, self.batch_size)
        order.shuffle(batches)
        yield from batches


def cut(items: Sequence[Any], size: int) -> list[Any]:
    """A sequence in pieces of ``size``, the last one perhaps shorter.

    >>> cut([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [items[first : first + size] for first in range(0, len(items), size)]
