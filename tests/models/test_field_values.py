"""The values of the fields of config.json."""

import json

import pytest
from transformers import CONFIG_MAPPING, LlamaConfig, Mamba2Config
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as MODELS

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.field_values import check_value

NEEDS_PARTS = ("musicgen", "musicgen_melody")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("hidden_size", True, "a whole number"),
        ("hidden_size", 32.0, "a whole number"),
        ("num_hidden_layers", 10_001, "at most 10000"),
        ("num_key_value_heads", 0, "a whole number from 1"),
        ("pretraining_tp", -1, "a whole number from 0"),
        ("rms_norm_eps", float("nan"), "a number from 0 to 1"),
        ("rope_scaling", {"rope_type": "linear", "factor": float("nan")}, "with a factor from 1"),
        ("rope_scaling", {"rope_type": "linear", "factor": True}, "with a factor from 1"),
        ("rope_scaling", {"type": "longrope", "short_factor": [1], "long_factor": [1, 2]}, "of one length"),
        ("eos_token_id", [1, "2"], "a whole number or a list of them"),
        ("dtype", "load", "float32, bfloat16, float16 or float64"),
    ],
)
def test_a_value_of_no_model_is_refused(name: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^here: {name} must be .*{says}.*, got "):
        check_value(name, value, LlamaConfig(), "here")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_key_value_heads", None),
        ("rms_norm_eps", 0),
        ("rope_scaling", None),
        ("rope_scaling", {"rope_type": "dynamic", "factor": 2}),
        ("pad_token_id", -1),
        ("eos_token_id", [1, 2]),
        ("torch_dtype", "bfloat16"),
        ("torch_dtype", None),
    ],
)
def test_a_value_of_some_model_is_taken(name: str, value: object) -> None:
    check_value(name, value, LlamaConfig(), "here")


def test_what_has_no_end_in_the_defaults_may_have_none() -> None:
    check_value("time_step_limit", [0.0, float("inf")], Mamba2Config(), "here")
    with pytest.raises(ConfigError, match="time_step_limit must hold finite numbers, got -inf"):
        check_value("time_step_limit", [float("-inf"), 1.0], Mamba2Config(), "here")


def test_the_defaults_of_every_causal_model_are_taken() -> None:
    for kind in MODELS.keys() - set(NEEDS_PARTS):
        usual = CONFIG_MAPPING[kind]()
        for name, value in json.loads(json.dumps(usual.to_dict(), default=str)).items():
            check_value(name, value, usual, kind)
