"""Branches run each token once and hold no more of them at a time than they may."""

from itertools import pairwise

import pytest

from peft_pipelines.data.batching import common
from peft_pipelines.training.branches import TRUNK, Branch, branches

SYSTEM, PASSAGE, OTHER = list(range(100, 150)), list(range(200, 300)), list(range(300, 400))


def rows(*shared: list[int], count: int = 4, own: int = 20) -> list[list[int]]:
    return [[*(token for part in shared for token in part), 1000 + row, *range(own - 1)] for row in range(count)]


def run(branch: Branch, batch: list[list[int]], start: int = 0) -> list[tuple[int, ...]]:
    """All tokens that a branch runs, each with what stands before it."""
    if branch.parts:
        first = batch[branch.rows[0]]
        trunk = [tuple(first[: end + 1]) for end in range(start, start + branch.trunk)]
        return trunk + [node for part in branch.parts for node in run(part, batch, start + branch.trunk)]
    return sorted({tuple(batch[row][: end + 1]) for row in branch.rows for end in range(start, len(batch[row]))})


def test_a_batch_that_fits_runs_at_once():
    assert branches(rows(SYSTEM), [50] * 4, 130) == Branch([0, 1, 2, 3])


def test_groups_of_one_size_follow_a_trunk():
    found = branches(rows(SYSTEM), [50] * 4, 70)
    assert found.trunk == len(SYSTEM)
    assert [part.rows for part in found.parts] == [[0, 1], [2, 3]]


def test_what_some_examples_share_is_a_trunk_of_their_own():
    batch = rows(SYSTEM, PASSAGE) + rows(SYSTEM, OTHER)
    found = branches(batch, [150] * 8, 50)
    assert [(part.rows, part.trunk) for part in found.parts] == [([0, 1, 2, 3], 100), ([4, 5, 6, 7], 100)]
    assert [leaf.rows for leaf in found.leaves()] == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize("tokens", [1, 30, 60, 100, 10_000])
def test_no_token_runs_twice_and_no_example_is_lost(tokens):
    batch = rows(SYSTEM, PASSAGE) + rows(SYSTEM, OTHER) + rows(SYSTEM, count=1)
    found = branches(batch, [len(row) - 1 for row in batch], tokens)
    nodes = run(found, batch)
    assert len(nodes) == len(set(nodes))
    assert sorted(row for leaf in found.leaves() for row in leaf.rows) == list(range(len(batch)))


@pytest.mark.parametrize("fit", [1, 2, 3, 9])
def test_branches_are_as_few_as_fit_and_alike(fit):
    sizes = sorted(len(leaf.rows) for leaf in branches(rows(SYSTEM, count=9), [50] * 9, 20 * fit).leaves())
    assert sizes == {1: [1] * 9, 2: [1, 2, 2, 2, 2], 3: [3, 3, 3], 9: [9]}[fit]


def test_no_answer_is_in_a_trunk():
    batch = [[*SYSTEM, row, *range(30)] for row in range(3)]
    assert branches(batch, [50, 40, 50], 40) == Branch([0, 1, 2])  # what is behind the trunk begins alike: one branch
    assert branches(batch, [50] * 3, 40).trunk == 50


def test_a_trunk_that_costs_more_alone_than_in_each_branch_is_none():
    batch = rows([7] * (TRUNK - 1), count=2)
    assert [(part.rows, part.trunk) for part in branches(batch, [31] * 2, 20).parts] == [([0], 0), ([1], 0)]
    assert branches(batch, [31] * 2, 20).trunk == 0
    assert branches(rows([7] * TRUNK, count=2), [32] * 2, 20).trunk == TRUNK


def test_groups_stand_in_the_order_of_their_tokens():
    batch = list(reversed(rows(SYSTEM, count=6)))
    order = [row for leaf in branches(batch, [50] * 6, 40).leaves() for row in leaf.rows]
    assert order == [5, 4, 3, 2, 1, 0]
    assert all(common(batch[one], batch[other]) == 50 for one, other in pairwise(order))
