"""Numbers that a forward keeps, from configs of several families."""

import pytest
import tiny
from transformers import AutoConfig

from peft_pipelines.models.memory import cached_per_token, kept_per_token

LLAMA = {"hidden_size": 576, "num_hidden_layers": 30, "intermediate_size": 1536, "num_attention_heads": 9}


def test_a_llama_keeps_nine_widths_and_three_inner_ones_a_layer() -> None:
    assert kept_per_token(LLAMA) == 30 * (9 * 576 + 3 * 1536)


def test_checkpointed_each_layer_keeps_its_input_and_one_layer_all() -> None:
    assert kept_per_token(LLAMA, checkpointed=True) == 30 * 576 + 9 * 576 + 3 * 1536


def test_keys_and_values_are_those_of_the_shared_heads() -> None:
    assert cached_per_token(LLAMA) == 2 * 30 * 576
    assert cached_per_token({**LLAMA, "num_key_value_heads": 3}) == 2 * 30 * 3 * 64
    assert cached_per_token({**LLAMA, "head_dim": 128}) == 2 * 30 * 9 * 128


def test_what_a_config_says_of_its_text_model_counts() -> None:
    assert kept_per_token({"hidden_size": 1, "text_config": LLAMA}) == kept_per_token(LLAMA)


def test_an_inner_width_that_is_left_open_is_four_widths() -> None:
    assert kept_per_token({"n_embd": 8, "n_layer": 2, "n_inner": None}) == 2 * (9 * 8 + 3 * 32)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_cache_of_each_family_has_the_size_that_its_config_gives(family: str) -> None:
    core = tiny.base(family)
    cache = core(input_ids=tiny.ids(7), use_cache=True).past_key_values
    numbers = sum(side.numel() for layer in cache.layers for side in (layer.keys, layer.values))
    assert cached_per_token(core.config.to_dict()) * 7 == numbers


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "gpt_neox", "bloom", "falcon", "mpt", "qwen3", "gemma3_text"])
def test_no_family_keeps_nothing(kind: str) -> None:
    config = AutoConfig.for_model(kind).to_dict()
    assert kept_per_token(config) > 0 and cached_per_token(config) > 0
