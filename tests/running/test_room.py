"""Tokens are compared with what the model has room for, before the run."""

import sys

import pytest
import tiny
from base_rows import task_of
from transformers import PretrainedConfig

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.running.room import check_positions, check_vocabulary, positions


def prompter(template: str) -> Prompter:
    return Prompter(tiny.tokenizer(template), True, sys.maxsize)


def test_a_template_token_beyond_the_embedding_is_refused() -> None:
    config = tiny.CONFIGS["llama"]()
    config.vocab_size = 258
    with pytest.raises(ConfigError, match=r"ids below 258, the rows of the embedding, got 259 \('<\|im_end\|>'\)"):
        check_vocabulary(prompter(tiny.CHATML), config)


def test_a_control_token_that_nothing_writes_may_lie_beyond_it() -> None:
    config = tiny.CONFIGS["llama"]()
    config.vocab_size = 260
    check_vocabulary(prompter(tiny.CHATML), config)


@pytest.mark.parametrize(
    ("family", "fields", "found"),
    [
        ("gpt2", {}, 512),
        ("llama", {}, 1024),
        ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}}, 2048),
        ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 1024),
        ("llama", {"alibi": True}, None),
    ],
)
def test_positions_are_those_of_the_config(family: str, fields: dict, found: int | None) -> None:
    config: PretrainedConfig = tiny.CONFIGS[family]()
    for name, value in fields.items():
        setattr(config, name, value)
    assert positions(config) == found


def test_rows_and_virtual_tokens_must_have_positions() -> None:
    task, method = task_of("sst2"), tiny.METHODS["prefix_tuning"]
    check_positions(task, method, 492, tiny.CONFIGS["gpt2"]())
    with pytest.raises(ConfigError, match=r"at most 492 beside 20 virtual tokens of method .* got 493"):
        check_positions(task, method, 493, tiny.CONFIGS["gpt2"]())
    with pytest.raises(ConfigError, match="max_length must be at most 512, the model has 512 positions, got 513"):
        check_positions(task, tiny.METHODS["lora"], 513, tiny.CONFIGS["gpt2"]())
