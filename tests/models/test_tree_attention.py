"""Attention along the paths of a tree gives the numbers of the dense mask, and compares nothing else."""

import pytest
import tiny
import torch
from torch.nn import functional

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import tree_attention
from peft_pipelines.models.token_tree import TokenTree, tree_logits
from peft_pipelines.models.tree_attention import NAME, alike, allows, attending, runs

START = tiny.ids(40).tolist()[0]
ROWS = [START + row for row in ([5, 6, 7, 8], [5, 6, 9], [5, 6, 7, 8, 4, 4], [30], [5, 6, 7, 8])] + [[9, 9, 7]]


def measured(attached: Attached, rows: list[list[int]]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The logits behind each token of each row, and the gradients of a sum of them."""
    tree = TokenTree.of(rows)
    logits = tree_logits(attached, tree, [node for path in tree.paths for node in path])
    functional.log_softmax(logits, -1)[:, 3].sum().backward()
    found = {name: value.grad.clone() for name, value in attached.trainable().items()}
    attached.plain.zero_grad()
    return logits.detach(), found


@pytest.mark.parametrize("family", [*tiny.FAMILIES, "mistral_window"])
@pytest.mark.parametrize("name", ["lora", "prefix_tuning", "full"])
@pytest.mark.parametrize("queries", [3, 128])
def test_paths_give_the_logits_and_gradients_of_the_dense_mask(name, family, queries, monkeypatch):
    attached = tiny.stir(tiny.attach(name, family))
    assert allows(attached.core)
    monkeypatch.setattr(tree_attention, "MOST_QUERIES", queries)
    logits, gradients = measured(attached, ROWS)
    monkeypatch.setattr(tree_attention, "allows", lambda core: False)
    dense, others = measured(attached, ROWS)
    assert torch.allclose(logits, dense, atol=1e-4 * dense.abs().max().item())
    largest = max(value.abs().max() for value in others.values())
    assert all((gradients[key] - value).abs().max() <= 1e-5 * largest for key, value in others.items())


def test_a_run_is_what_an_example_adds_and_a_long_one_is_cut(monkeypatch):
    monkeypatch.setattr(tree_attention, "MOST_QUERIES", 2)
    assert runs([[0, 1, 2], [0, 3], [0, 3], [0, 1, 2, 4]]) == [
        ([0, 1], 2),
        ([0, 1, 2], 1),
        ([0, 3], 1),
        ([0, 1, 2, 4], 1),
    ]


def test_runs_of_like_length_meet_and_none_is_lost():
    found = [(list(range(60)), 60), *(([*range(50), 60 + row], 1) for row in range(30))]
    groups = alike(found)
    assert sorted(map(len, groups)) == [1, 30]
    assert sorted(run for group in groups for run in group) == sorted(found)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_no_mask_of_all_nodes_is_made(family, monkeypatch):
    attached = tiny.attach("lora", family)
    monkeypatch.setattr("peft_pipelines.models.tree_kernel.tree_masks", None)
    seen = []
    real = functional.scaled_dot_product_attention
    monkeypatch.setattr(
        functional, "scaled_dot_product_attention", lambda *given, **named: seen.append(named) or real(*given, **named)
    )
    tree_logits(attached, TokenTree.of(ROWS), range(2))
    assert seen
    assert all(named["attn_mask"].shape[1] == 1 for named in seen)


def test_the_model_has_its_own_attention_again_even_behind_an_error():
    core = tiny.fresh("llama")
    with pytest.raises(RuntimeError), attending(core, [[0]], None):
        assert core.config._attn_implementation == NAME
        raise RuntimeError
    assert core.config._attn_implementation == "sdpa"


def test_a_forward_that_gradient_checkpointing_runs_again_takes_the_mask():
    core = tiny.fresh("llama")
    core.train()
    core.gradient_checkpointing_enable({"use_reentrant": False})
    assert not allows(core)
    assert allows(core.eval())
