"""A tree of tokens gives each token the logits that it has in a row of its own."""

import pytest
import tiny
import torch

from peft_pipelines.models.token_tree import TokenTree, packing_refused, pair_work, tree_logits

ROWS = [[5, 6, 7, 8], [5, 6, 9], [5, 6, 7, 8, 4, 4], [30], [5, 6, 7, 8]]


def test_tokens_that_rows_begin_with_alike_stand_once():
    tree = TokenTree.of(ROWS)
    assert tree.ids.tolist() == [5, 6, 7, 8, 9, 4, 4, 30]
    assert tree.depths.tolist() == [0, 1, 2, 3, 2, 4, 5, 0]
    assert [tree.ids[path].tolist() for path in tree.paths] == ROWS
    assert tree.paths[0] == tree.paths[4]


@pytest.mark.parametrize("family", [*tiny.FAMILIES, "mistral_window"])
@pytest.mark.parametrize("name", ["zero_shot", "lora", "prefix_tuning"])
def test_each_token_has_the_logits_of_its_own_row(name, family):
    attached = tiny.stir(tiny.attach(name, family))
    rows = [tiny.ids(30).tolist()[0] + row for row in ROWS]
    tree = TokenTree.of(rows)
    for row, path in zip(rows, tree.paths, strict=True):
        expected = tiny.logits(attached.plain, torch.tensor([row]))[0]
        found = tree_logits(attached, tree, torch.tensor(path))
        assert torch.allclose(found, expected, atol=2e-4 * expected.abs().max().item())


def test_no_token_sees_another_rows():
    attached = tiny.stir(tiny.attach("lora", "llama"))
    alone = tree_logits(attached, TokenTree.of(ROWS[:1]), torch.arange(4))
    among = tree_logits(attached, TokenTree.of(ROWS), torch.arange(4))
    assert torch.allclose(alone, among, atol=1e-5)


def test_a_model_without_positions_is_refused_by_its_reason():
    attached = tiny.attach("lora", "llama")
    attached.core.forward = lambda input_ids, attention_mask: None
    assert packing_refused(attached) == "the model's forward takes no position_ids"
    attached = tiny.attach("lora", "gemma3")
    attached.core.config.layer_types = ["chunked_attention", "full_attention"]
    assert packing_refused(attached) == "the model's attention is cut into chunks"
    attached = tiny.attach("lora", "llama")
    attached.refuses["shared_prefix"] = "it draws at random"
    assert packing_refused(attached) == "it draws at random"


def test_a_pair_costs_two_products_of_the_width_of_the_heads():
    core = tiny.base("llama")
    weights = 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 2 * 32) + 32
    assert pair_work(core) == pytest.approx(1.5 * 2 * 2 * 32 / weights)
