"""Heads of queries that share one of keys attend together: the numbers of the library's own attention."""

import pytest
import tiny
import torch
from transformers import DynamicCache

from peft_pipelines.models import shared_heads
from peft_pipelines.models.forward import forward
from peft_pipelines.models.shared_heads import NAME, one_token


@pytest.mark.parametrize("family", [*tiny.FAMILIES, "mistral_window"])
@pytest.mark.parametrize("padding", [0, 3])
def test_the_next_token_has_the_librarys_logits(family, padding):
    core = tiny.stir(tiny.attach("lora", family)).core.eval()
    assert core.config._attn_implementation == "sdpa"
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[0, :padding] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    found = []
    for taken in (False, True):
        cache = DynamicCache(config=core.config)
        with torch.no_grad():
            forward(core, tiny.ids(8, rows=2), mask[:, :8], positions[:, :8], cache)
            if taken:
                with one_token(core):
                    assert core.config._attn_implementation == NAME
                    output = forward(core, tiny.ids(1, rows=2), mask, positions[:, 8:], cache)
            else:
                output = forward(core, tiny.ids(1, rows=2), mask, positions[:, 8:], cache)
        found.append(output.logits)
    assert core.config._attn_implementation == "sdpa"
    assert torch.allclose(*found, atol=1e-5 * found[0].abs().max().item())


def test_keys_are_not_repeated(monkeypatch):
    core = tiny.fresh("llama").eval()
    assert core.config.num_key_value_heads < core.config.num_attention_heads
    seen = []
    real = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        torch.nn.functional,
        "scaled_dot_product_attention",
        lambda query, key, *rest, **named: seen.append(key.shape[1]) or real(query, key, *rest, **named),
    )
    with one_token(core), torch.no_grad():
        core(input_ids=tiny.ids(1))
    assert set(seen) == {core.config.num_key_value_heads}


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_host_waits_for_no_answer_whether_a_mask_hides_anything(device):
    """The device without numbers stands for a GPU: a question to it would be an error."""
    options = {"batch_size": 2, "cache_position": torch.tensor([5], device=device), "kv_length": 6}
    made = shared_heads._mask(**options, attention_mask=torch.ones(2, 6, dtype=torch.bool, device=device))
    assert made is None if device == "cpu" else made.shape == (2, 1, 1, 6)
