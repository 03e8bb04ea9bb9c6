"""FlexAttention of a tree, run by plain operations on the CPU, gives the numbers of the dense mask and makes none."""

from itertools import pairwise

import pytest
import tiny
import torch
from small_trainings import step_in_branches
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.attention import flex_attention as library
from torch.nn.attention.flex_attention import create_mask

from peft_pipelines.data.encoded import Encoded
from peft_pipelines.models import tree_attention, tree_flex
from peft_pipelines.models.token_tree import TokenTree
from peft_pipelines.models.tree_flex import BLOCK, attention, block_mask, blocks, intervals
from peft_pipelines.training import branches

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*called without torch.compile:UserWarning", "ignore:The .grad attribute of a Tensor:UserWarning"
)

WHOLE = [name for name in tiny.FAMILIES if name != "gemma3"]
"""Families without a sliding window."""
START, PASSAGE = (tiny.ids(140, seed=seed).tolist()[0] for seed in (5, 6))
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def with_gradients(monkeypatch):
    """The library refuses gradients on a CPU since it has no kernel there; its plain operations have them."""
    monkeypatch.setattr(library, "_validate_device", lambda *sides: None)


def rows() -> list[Encoded]:
    """Eight examples behind one start, four of them behind a passage, in no order."""
    texts = tiny.ids(30, rows=8).tolist()
    starts = [START + PASSAGE * (number % 2) for number in range(8)]
    return [
        Encoded(start + text[: 4 + number], text[20 : 21 + number % 3], False)
        for number, (start, text) in enumerate(zip(starts, texts, strict=True))
    ]


def parents_of(examples: list[list[int]]) -> list[int]:
    return [parent for parent, _ in TokenTree.of(examples).children]


@pytest.mark.parametrize("family", WHOLE)
@pytest.mark.parametrize("name", ["lora", "prefix_tuning"])
def test_loss_and_gradients_are_those_of_the_dense_mask(name, family, monkeypatch):
    attached = tiny.stir(tiny.attach(name, family))
    monkeypatch.setattr(tree_attention, "attending", None)
    loss, gradients = step_in_branches(attached, rows(), 140, 200, flex=True)
    monkeypatch.setattr(tree_attention, "allows", lambda core: False)
    expected, others = step_in_branches(attached, rows(), 140, 200, flex=False)
    assert loss == pytest.approx(expected, rel=1e-6)
    largest = max(value.abs().max() for value in others.values())
    assert largest > 0
    assert all((gradients[key] - value).abs().max() <= 1e-5 * largest for key, value in others.items())


def test_a_batch_behind_a_trunk_was_among_those_compared():
    tree = branches.branches([row.ids[:-1] for row in rows()], [140] * 8, 200)
    assert (tree.trunk, len(tree.parts)) == (140, 2)


@pytest.mark.parametrize("cached", [0, 5, 300])
@pytest.mark.parametrize("ordered", [True, False])
def test_the_table_has_each_block_in_which_tokens_see_each_other(ordered, cached):
    examples = [row.ids for row in rows()] + [[9, 8, 7] * 70]
    parents = parents_of(sorted(examples) if ordered else examples)
    mask = block_mask(parents, cached, CPU)
    seen = create_mask(mask.mask_mod, 1, 1, *mask.shape[-2:], device="cpu")[0, 0]
    ancestors = TokenTree.of(sorted(examples) if ordered else examples).ancestors()
    assert torch.equal(seen, torch.cat([ancestors.new_ones(len(parents), cached), ancestors], 1))
    wide = torch.nn.functional.pad(seen, (0, -seen.shape[1] % BLOCK, 0, -seen.shape[0] % BLOCK))
    tiles = wide.view(wide.shape[0] // BLOCK, BLOCK, -1, BLOCK).transpose(1, 2).flatten(2)
    some, every = listed(mask.kv_num_blocks, mask.kv_indices), listed(mask.full_kv_num_blocks, mask.full_kv_indices)
    assert not (some & every).any()
    assert torch.equal(every, tiles.all(2))
    assert torch.equal(some | every, tiles.any(2)) if ordered else (tiles.any(2) <= (some | every)).all()
    assert every.any() or cached < 2 * BLOCK
    assert not (some | every).all()


def listed(counts: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """The blocks that a table names (query blocks, key blocks)."""
    found = torch.zeros(which.shape[-2:], dtype=torch.bool)
    for row, (count, columns) in enumerate(zip(counts[0, 0].tolist(), which[0, 0].tolist(), strict=True)):
        found[row, columns[:count]] = True
    return found


def test_keys_behind_a_query_and_other_branches_are_not_seen():
    entry, end = intervals([-1, 0, 1, 0])
    assert [first <= entry[3] < last for first, last in zip(entry, end, strict=True)] == [True, False, False, True]


def test_a_block_whose_last_tokens_are_missing_is_never_a_whole_one():
    sides = torch.zeros(BLOCK + 1, dtype=torch.int32), torch.ones(BLOCK + 1, dtype=torch.int32)
    some, every = blocks(sides[0], *sides)
    assert some.all()
    assert every.tolist() == [[True, False], [False, False]]


def test_other_lengths_compile_no_further_kernel(monkeypatch):
    counter = CompileCounterWithBackend("aot_eager")
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **given: real(function, backend=counter, **given))
    kernel = tree_flex._kernel.__wrapped__("cuda")
    monkeypatch.setattr(tree_flex, "_kernel", lambda kind: kernel)
    counts = []
    torch._dynamo.reset()
    for nodes, cached in ((300, 0), (420, 0), (390, 30), (140, 200), (2000, 0), (511, 129), (513, 1), (777, 7)):
        sides = [torch.randn(1, heads, length, 16) for heads, length in ((4, nodes), (2, nodes + cached))]
        parents = [-1, *range(nodes - 30), *range(10, 39)]
        attention(block_mask(parents, cached, CPU))(None, sides[0], sides[1], sides[1])
        counts.append(counter.frame_count)
    assert counts[-1] <= 2
    assert all(later in (earlier, earlier + 1) for earlier, later in pairwise(counts))


def test_what_stands_in_the_cache_may_be_in_another_precision():
    mask = block_mask([-1, 0, 1], 2, CPU)
    query, key = torch.randn(1, 4, 3, 16, dtype=torch.bfloat16), torch.randn(1, 2, 5, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        output, _ = attention(mask)(None, query, key, key)
    assert (output.dtype, tuple(output.shape)) == (torch.bfloat16, (1, 3, 4, 16))
