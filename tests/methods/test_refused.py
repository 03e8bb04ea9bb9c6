"""Rows that a library takes without a word and that would come to nothing, or to a error in the middle of a run."""

import re
from typing import Any

import pytest
import tiny
import torch

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.running import models_check
from peft_pipelines.training import optimizers

LORA = {"r": 8, "target_modules": ["q_proj"]}
BOTTLENECK = {"reduction_factor": 16, "non_linearity": "swish"}
GALORE = {"type": "galore_adamw", "rank": 4, "update_proj_gap": 2, "scale": 1.0}
CASES = [
    ("lora", {"config": {**LORA, "lora_alpha": 0}}, "lora_alpha must not be 0: it multiplies what is trained"),
    ("lora", {"config": {**LORA, "rank_pattern": {"k_prof": 4}}}, "unknown module in rank_pattern 'k_prof'"),
    ("lora", {"config": {**LORA, "layers_to_transform": [0, 9]}}, "layers_to_transform must be from 0 to 1, got 9"),
    ("lora", {"config": {**LORA, "modules_to_save": ["lm_heat"]}}, "unknown module to save 'lm_heat'"),
    ("lora", {"config": {**LORA, "exclude_modules": ["k_prof"]}}, "unknown module to exclude 'k_prof'"),
    ("lora", {"config": {**LORA, "target_parameters": ["k_prof"]}}, "unknown target parameter 'k_prof'"),
    ("prompt_tuning", {"config": {"num_virtual_tokens": 4, "prompt_tuning_init": "SAMPLE"}}, "must be 'TEXT' or"),
    ("bottleneck", {"config": {**BOTTLENECK, "leave_out": [0, 1]}}, "leaves nothing to train"),
    ("bottleneck", {"config": {**BOTTLENECK, "non_linearity": "swishh"}}, "function swishh not found"),
    ("bottleneck", {"quantization": "nf4"}, "quantization: must be null, got 'nf4'"),
    ("bottleneck", {"type": "LoReftConfig", "config": {}}, "type LoReftConfig is not for a row: it changes the first"),
    ("parallel_adapter", {"config": {"scaling": 0.0}}, "scaling must not be 0"),
    ("full", {"quantization": "nf4"}, "quantization: must be null, got 'nf4': the weights themselves are trained"),
    ("zero_shot", {"type": "nothing"}, "unknown type 'nothing'. Allowed: none"),
    ("zero_shot", {"optimizer": GALORE}, "optimizer: must be left out"),
    ("ln_tuning", {"optimizer": GALORE}, "is for the weights of linear layers, and the method trains none"),
]


@pytest.mark.parametrize(("name", "changes", "message"), CASES)
def test_it_is_refused_before_a_weight_is_read(name: str, changes: dict[str, Any], message: str) -> None:
    method = tiny.METHODS[name].model_copy(update=changes)
    with pytest.raises(ConfigError, match=re.escape(message)):
        models_check.check_method(method, tiny.skeleton("llama"), tiny.training_args())


def test_what_fits_is_taken() -> None:
    config = {
        **LORA,
        "rank_pattern": {"layers.0.self_attn.q_proj": 4},
        "layers_to_transform": [0, 1],
        "modules_to_save": ["lm_head"],
        "exclude_modules": ["layers.1.self_attn.q_proj"],
    }
    models_check.check_method(
        tiny.METHODS["lora"].model_copy(update={"config": config}), tiny.skeleton("llama"), tiny.training_args()
    )


def test_what_needs_weights_to_start_is_refused_when_it_is_attached() -> None:
    method = tiny.METHODS["bottleneck"].model_copy(update={"config": {**BOTTLENECK, "leave_out": [0, 1]}})
    with pytest.raises(ConfigError, match="leaves nothing to train"):
        providers.attach(base_model.clone(tiny.base("llama")), method, seed=0)


def test_a_low_rank_optimizer_takes_factors_too() -> None:
    method = tiny.METHODS["lora"].model_copy(update={"optimizer": GALORE})
    attached = providers.attach(base_model.clone(tiny.base("llama")), method, seed=0)
    groups = optimizers.build(attached, tiny.training_args(), method).param_groups
    assert sum(len(group["params"]) for group in groups if "rank" in group) == len(attached.trainable())
    assert isinstance(groups[-1]["params"][0], torch.nn.Parameter)
