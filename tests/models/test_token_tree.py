"""A tree of tokens gives each token the logits that it has in a row of its own."""

import pytest
import tiny
import torch
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.token_tree import MODEL_TYPES, TokenTree, packing_refused, pair_work, tree_logits

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
        found = tree_logits(attached, tree, path)
        assert torch.allclose(found, expected, atol=2e-4 * expected.abs().max().item())


OLD = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "rotary_dim": 4}
SMALL = {
    **{"vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "ffn_dim": 48},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0},
    **{"word_embed_proj_dim": 32, "num_local_experts": 2, "num_experts": 2, "num_experts_per_tok": 1, "head_dim": 8},
    **{"sliding_window": 4, "use_sliding_window": True, "max_window_layers": 1, **OLD},
}
"""Small sizes and a window shorter than the rows, by the names that one model type or another has for them."""


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES))
def test_each_model_type_gives_the_logits_of_rows(model_type):
    if model_type not in CONFIG_MAPPING:
        pytest.skip("the installed transformers does not know it")
    known = CONFIG_MAPPING[model_type]().to_dict().keys() | CONFIG_MAPPING[model_type].attribute_map.keys()
    config = AutoConfig.for_model(model_type, **{name: value for name, value in SMALL.items() if name in known})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        core = AutoModelForCausalLM.from_config(config).eval()
        for parameter in core.parameters():
            parameter.data += 0.2 * torch.randn(parameter.shape)
    attached = Attached(tiny.METHODS["zero_shot"], core, core, None)
    assert packing_refused(attached) is None
    draw = torch.Generator().manual_seed(1)
    head, *tails = (torch.randint(3, 300, (length,), generator=draw).tolist() for length in (6, 9, 7, 12))
    rows = [*(head + tail for tail in tails), [5, 6, 30]]
    tree = TokenTree.of(rows)
    with torch.no_grad():
        found = tree_logits(attached, tree, [node for path in tree.paths for node in path])
        last = tree_logits(attached, tree, [path[-1] for path in tree.paths])
        expected = [core(input_ids=torch.tensor([row])).logits[0] for row in rows]
    assert torch.allclose(found, torch.cat(expected), atol=1e-5 * found.abs().max().item())
    assert torch.allclose(last, torch.stack([row[-1] for row in expected]), atol=1e-5 * found.abs().max().item())


def test_no_token_sees_another_rows():
    attached = tiny.stir(tiny.attach("lora", "llama"))
    alone = tree_logits(attached, TokenTree.of(ROWS[:1]), range(4))
    among = tree_logits(attached, TokenTree.of(ROWS), range(4))
    assert torch.allclose(alone, among, atol=1e-5)


def test_a_model_without_positions_is_refused_by_its_reason():
    attached = tiny.attach("lora", "llama")
    attached.core.forward = lambda input_ids, attention_mask: None
    assert packing_refused(attached) == "the model's forward takes no position_ids"
    attached = tiny.attach("lora", "gemma3")
    attached.core.config.model_type = "gpt_neo"
    assert packing_refused(attached) == "trees are not tested on models of type 'gpt_neo'"
    attached = tiny.attach("lora", "llama")
    attached.refuses["shared_prefix"] = "it draws at random"
    assert packing_refused(attached) == "it draws at random"


def test_behind_a_mask_a_pair_costs_two_products_of_the_width_of_the_heads():
    core = tiny.fresh("llama")
    assert pair_work(core) == 0
    core.config._attn_implementation = "eager"
    weights = 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48 + 2 * 32) + 32
    assert pair_work(core) == pytest.approx(1.5 * 2 * 2 * 32 / weights)
