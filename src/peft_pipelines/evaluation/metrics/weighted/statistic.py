"""A number of weighted items: how often each item stands in a sample decides it, so samples need no copied rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

Statistic = Callable[[Array], Array]
"""Weights (samples, items), whole numbers from 0 up, to numbers (samples,). Weights of 1 are the items as they are."""


@dataclass(frozen=True)
class Sums:
    """A statistic of sums: ``items`` (n, k) adds up to k sums, which ``combine`` turns (r, k) -> (r,) into numbers."""

    items: Array
    combine: Callable[[Array], Array]

    def __call__(self, weights: Array) -> Array:
        """Numbers (r,) of weights (r, n)."""
        return self.combine(weights @ self.items)


def mean_of(values: Array) -> Statistic:
    """The mean of the items' values (n,).

    >>> mean_of(np.array([0.0, 1.0]))(np.array([[1.0, 1.0], [0.0, 2.0]])).tolist()
    [0.5, 1.0]
    """
    return Sums(np.column_stack([values, np.ones(len(values))]), lambda sums: sums[:, 0] / sums[:, 1])


def ratio(over: Array, under: Array) -> Array:
    """The quotient of two arrays of one shape, 0 where it is undefined."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def of_places(function: Callable[[Sequence[int], Sequence[int]], float]) -> Statistic:
    """The statistic of a function that nothing faster is known of: one call a sample.

    Args:
        function: from the places of the items in a sample, an item as often as it was drawn, and from the number of
            each copy, 0 for an item's first, to a number.

    >>> of_places(lambda places, copies: sum(places) / len(places))(np.array([[1, 0, 1], [0, 1, 1]])).tolist()
    [1.0, 1.5]
    """

    def statistic(weights: Array) -> Array:
        numbers = np.arange(weights.shape[1])
        return np.array([function(*_drawn(numbers, row.astype(int))) for row in weights])

    return statistic


def _drawn(numbers: Any, counts: Any) -> tuple[list[int], list[int]]:
    copies = np.concatenate([np.arange(count) for count in counts]).astype(int)
    return np.repeat(numbers, counts).tolist(), copies.tolist()
