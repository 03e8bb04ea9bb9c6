"""The fields that reach the library: those that its own classes know."""

import json

import pytest
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as MODELS

from peft_pipelines.models.fields import NOT_OURS, plain_fields
from peft_pipelines.models.known_fields import known_fields


def test_a_field_that_only_code_elsewhere_asks_for_is_not_known() -> None:
    known = known_fields("llama")
    assert {"hidden_size", "rope_scaling", "head_dim", "torch_dtype", "tie_word_embeddings"} <= known
    assert not known & {"sliding_window", "partial_rotary_factor", "trust_remote_code", "self", "kwargs", "cache_dir"}


def test_a_field_that_a_config_takes_without_naming_it_is_known() -> None:
    assert "sliding_window_pattern" in known_fields("gemma3_text")
    assert "n_embd" in known_fields("gpt2") and "hidden_size" in known_fields("gpt2")


@pytest.mark.parametrize("kind", ["llama", "qwen2", "mistral", "gemma3_text", "gpt2", "opt", "gpt_neox", "mamba2"])
def test_a_models_own_fields_all_reach_the_library(kind: str) -> None:
    values = json.loads(CONFIG_MAPPING[kind]().to_json_string(use_diff=False))
    left = values.keys() - plain_fields({**values, "model_type": kind}).keys()
    assert not [name for name in left if name not in NOT_OURS and not name.startswith("_")]


def test_every_causal_model_has_fields() -> None:
    known = {kind: known_fields(kind) for kind in list(MODELS)[::20]}
    assert not [kind for kind, names in known.items() if "model_type" not in names or "vocab_size" not in names]
