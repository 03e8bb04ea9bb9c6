"""Seeded samples of a split, as row numbers in their original order."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def draw(pool: Numbers, strata: Sequence[Any] | None, rows: int | None, seed: int) -> Numbers:
    """Draw ``rows`` of the pool, or all of a smaller one; label shares are kept where each label has two rows or more.

    >>> draw(np.arange(8), list("aaaaaabb"), 4, seed=0).tolist()
    [1, 2, 5, 6]
    """
    if rows is None or rows >= len(pool):
        return pool
    from sklearn.model_selection import train_test_split  # noqa: PLC0415  (a second of import, which few runs need)

    groups = np.asarray(strata, dtype=object)[pool].astype(str) if strata is not None else None
    if groups is not None:
        _, counts = np.unique(groups, return_counts=True)
        if counts.min() == 1 or min(rows, len(pool) - rows) < len(counts):
            groups = None
    chosen, _ = train_test_split(pool, train_size=rows, random_state=seed, stratify=groups)
    return np.sort(chosen)


def draw_blocks(pool: Numbers, blocks: Sequence[str], rows: int | None, seed: int) -> Numbers:
    """Draw whole blocks of the pool: as many as fit into ``rows``, and at least one.

    Args:
        pool: row numbers.
        blocks: of each row of the split, the name of its block.
        rows: the most rows to draw, None for all.
        seed: decides the order in which blocks are tried.

    >>> draw_blocks(np.arange(6), ["a", "a", "b", "b", "c", "c"], 5, seed=0).tolist()
    [0, 1, 4, 5]
    """
    if rows is None or rows >= len(pool):
        return pool
    members = _members([blocks[row] for row in pool])
    chosen: list[int] = []
    for number in np.random.default_rng(seed).permutation(len(members)):
        if not chosen or len(chosen) + len(members[number]) <= rows:
            chosen += members[number]
    return np.sort(pool[chosen])


def hold_out_groups(groups: Sequence[str], rows: int, most: int, seed: int) -> Numbers:
    """Draw whole groups to hold out: until they have ``rows`` rows or there are ``most`` groups.

    One group at least is left. Rows are counted so that few large groups do not use up the split, groups so that many
    small ones do not either.

    Raises:
        ValueError: all rows are one group.

    >>> hold_out_groups(["a", "a", "b", "b", "c"], rows=3, most=5, seed=0).tolist()
    [0, 1, 4]
    """
    members = _members(groups)
    if len(members) == 1:
        raise ValueError("all examples share one group, no validation examples can be cut off")
    aside: list[int] = []
    for number in np.random.default_rng(seed).permutation(len(members))[: min(most, len(members) - 1)]:
        if len(aside) < rows:
            aside += members[number]
    return np.sort(np.asarray(aside))


def _members(names: Sequence[str]) -> list[list[int]]:
    """The places of each name, names in order of appearance."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return list(places.values())
