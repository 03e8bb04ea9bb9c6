"""The config.json that the model rows' repositories have: each passes, and makes a model of the published size."""

from typing import Any

import pytest
import torch
from base_rows import rows_of
from transformers import AutoModelForCausalLM

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.model_config import config_of

SHARED = {
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.51.0",
    "use_cache": True,
}
LLAMA_3_2_1B = {
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 2048},
    **{"num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64},
    **{"intermediate_size": 8192, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0},
    **{"bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "tie_word_embeddings": True},
    **{"attention_bias": False, "mlp_bias": False, "pretraining_tp": 1, "hidden_act": "silu"},
    "rope_scaling": {
        **{"rope_type": "llama3", "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0},
        "original_max_position_embeddings": 8192,
    },
}
QWEN_3_0_6B = {
    **{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 151936, "hidden_size": 1024},
    **{"num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128},
    **{"intermediate_size": 3072, "max_position_embeddings": 40960, "rms_norm_eps": 1e-06, "rope_theta": 1000000},
    **{"bos_token_id": 151643, "eos_token_id": 151645, "tie_word_embeddings": True, "attention_bias": False},
    **{"max_window_layers": 28, "sliding_window": None, "use_sliding_window": False, "rope_scaling": None},
    "hidden_act": "silu",
}
GEMMA_3_1B = {
    **{"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 262144},
    **{"hidden_size": 1152, "num_hidden_layers": 26, "num_attention_heads": 4, "num_key_value_heads": 1},
    **{"head_dim": 256, "intermediate_size": 6912, "max_position_embeddings": 32768, "rms_norm_eps": 1e-06},
    **{"bos_token_id": 2, "eos_token_id": [1, 106], "pad_token_id": 0, "attention_bias": False},
    **{"rope_theta": 1000000, "rope_local_base_freq": 10000, "rope_scaling": None, "query_pre_attn_scalar": 256},
    **{"sliding_window": 512, "sliding_window_pattern": 6, "cache_implementation": "hybrid"},
    **{"attn_logit_softcapping": None, "final_logit_softcapping": None, "hidden_activation": "gelu_pytorch_tanh"},
}
MISTRAL_7B_V0_3 = {
    **{"architectures": ["MistralForCausalLM"], "model_type": "mistral", "vocab_size": 32768, "hidden_size": 4096},
    **{"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336},
    **{"max_position_embeddings": 32768, "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "sliding_window": None},
    **{"bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": False, "hidden_act": "silu"},
}
PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "llama_3_2_1b": (LLAMA_3_2_1B, 1_235_814_400),
    "qwen3_0_6b": (QWEN_3_0_6B, 596_049_920),
    "gemma_3_1b": (GEMMA_3_1B, 999_885_952),
    "mistral_7b_v0_3": (MISTRAL_7B_V0_3, 7_248_023_552),
}


def test_each_row_of_the_hub_has_its_config_here() -> None:
    assert PUBLISHED.keys() == {name for name, row in rows_of("models").items() if "hub" in row}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_config_makes_a_model_of_its_size(name: str) -> None:
    values, size = PUBLISHED[name]
    config = config_of({**SHARED, **values}, f"model '{name}'")
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(value.numel() for value in model.parameters()) == size


def test_a_field_that_the_library_takes_under_an_older_name_is_read() -> None:
    layers = config_of({**SHARED, **GEMMA_3_1B, "sliding_window_pattern": 3}, "here").layer_types
    assert [place for place, kind in enumerate(layers) if kind == "full_attention"] == list(range(2, 26, 3))


def test_a_field_that_is_nearly_one_of_the_config_is_refused() -> None:
    values = {name.replace("sliding_window", "sliding_windows"): value for name, value in GEMMA_3_1B.items()}
    del values["sliding_windows_pattern"]
    with pytest.raises(ConfigError, match="unknown field 'sliding_windows', did you mean 'sliding_window'"):
        config_of({**SHARED, **values}, "here")
