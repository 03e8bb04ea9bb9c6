"""A GGUF file against the model that it was made of, read by transformers, which undoes what llama.cpp wants."""

from pathlib import Path
from typing import Any

import gguf
import pytest
import tiny
import torch
import words_of_bytes
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.export.gguf_file import frequency_factors, rope_of, tensors_of, write_file

FACTS = {"name": "lora on tiny", "license": "apache-2.0", "base_model": "someone/tiny"}
ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
TOKENS = tiny.ids(12, rows=2)


def model_of(dtype: torch.dtype = torch.float32, **changes: Any) -> PreTrainedModel:
    """A tiny Llama with random weights, by some changes of its config."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(LlamaConfig(**{**tiny.GATED, **changes}))
    for value in model.parameters():
        value.data += 0.1 * torch.randn(value.shape)
    return model.to(dtype).requires_grad_(False).eval()


def folder_of(model: PreTrainedModel, folder: Path) -> Path:
    """The model's folder, with a tokenizer."""
    model.save_pretrained(folder)
    words_of_bytes.tokenizer().save_pretrained(folder)
    return folder


def fields_of(path: Path) -> dict[str, Any]:
    """The metadata of a file."""
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


@pytest.mark.parametrize(
    ("dtype", "changes"),
    [
        (torch.float32, {}),
        (torch.bfloat16, {"tie_word_embeddings": True}),
        (torch.float16, {"num_key_value_heads": 1}),
    ],
)
def test_transformers_reads_the_model_that_was_written(
    dtype: torch.dtype, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = model_of(dtype, **changes)
    write_file(folder_of(model, tmp_path / "model"), tmp_path / "model.gguf", FACTS, "cell 'x'")
    read = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf", dtype=dtype).eval()
    found = dict(read.named_parameters())
    assert all(torch.equal(found.pop(name), value) for name, value in model.named_parameters()) and not found
    if dtype == torch.float32:  # in half precision this model's angles are rounded too, those of one that is read not
        assert torch.equal(tiny.logits(read, TOKENS), tiny.logits(model, TOKENS))
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(tmp_path / "model.gguf").tensors}
    assert kinds["blk.0.attn_norm.weight"] == "F32"
    assert kinds["blk.0.attn_q.weight"] == {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}[str(dtype)[6:]]
    assert ("output.weight" in kinds) == (not changes.get("tie_word_embeddings"))


def test_the_metadata_is_what_llama_cpp_asks_for(tmp_path: Path) -> None:
    write_file(folder_of(model_of(), tmp_path / "model"), tmp_path / "model.gguf", FACTS, "cell 'x'")
    found = fields_of(tmp_path / "model.gguf")
    assert {name.partition(".")[2]: found[name] for name in found if name.startswith("llama.")} == {
        "block_count": 2,
        "context_length": 1024,
        "embedding_length": 32,
        "feed_forward_length": 48,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.key_length": 8,
        "attention.value_length": 8,
        "rope.dimension_count": 8,
        "rope.freq_base": 10000.0,
        "attention.layer_norm_rms_epsilon": pytest.approx(1e-6),
        "vocab_size": 264,
    }
    assert (found["general.architecture"], found["general.name"]) == ("llama", "lora on tiny")
    assert (found["general.license"], found["general.base_model.0.name"]) == ("apache-2.0", "someone/tiny")
    assert (found["tokenizer.ggml.model"], found["tokenizer.ggml.pre"]) == ("gpt2", "gpt-2")
    assert found["tokenizer.ggml.merges"] == ["i n", "in g"]
    assert (found["tokenizer.ggml.eos_token_id"], found["tokenizer.ggml.padding_token_id"]) == (256, 257)
    assert found["tokenizer.ggml.add_bos_token"] is False
    assert found["tokenizer.chat_template"] == tiny.CHATML


def test_biases_keep_the_order_of_their_weights(tmp_path: Path) -> None:
    model = model_of(attention_bias=True, mlp_bias=True)
    source = folder_of(model, tmp_path / "model")
    write_file(source, tmp_path / "model.gguf", FACTS, "cell 'x'")
    query = model.model.layers[1].self_attn.q_proj
    found = dict(tensors_of(source, model.config, "cell 'x'"))
    halves = torch.arange(32).reshape(4, 2, 4).transpose(1, 2).flatten()
    assert torch.equal(found["blk.1.attn_q.bias"], query.bias[halves])
    assert torch.equal(found["blk.1.attn_q.weight"], query.weight[halves])


def test_llama_3s_frequencies_are_those_of_transformers(tmp_path: Path) -> None:
    model = model_of(rope_scaling=ROPE, rope_theta=500.0, head_dim=32)
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](model.config, torch.device("cpu"))
    plain = 1 / (rope_of(model.config)["rope_theta"] ** (torch.arange(0, 32, 2) / 32))
    assert torch.allclose(plain / frequency_factors(model.config), scaled, rtol=1e-5)
    assert len(set(frequency_factors(model.config).tolist())) > 3
    write_file(folder_of(model, tmp_path / "model"), tmp_path / "model.gguf", FACTS, "cell 'x'")
    names = {tensor.name for tensor in gguf.GGUFReader(tmp_path / "model.gguf").tensors}
    assert "rope_freqs.weight" in names


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_act": "gelu"}, "its activation must be silu, got 'gelu'"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 2.0}}, "must be default or llama3, got 'linear'"),
    ],
)
def test_what_is_not_written_is_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    source = folder_of(model_of(**changes), tmp_path / "model")
    with pytest.raises(ConfigError, match=words):
        write_file(source, tmp_path / "model.gguf", FACTS, "cell 'x'")


def test_another_architecture_is_named(tmp_path: Path) -> None:
    source = folder_of(tiny.fresh("qwen2"), tmp_path / "model")
    with pytest.raises(ConfigError, match="its model type must be llama, got 'qwen2'; export it as 'merged'"):
        write_file(source, tmp_path / "model.gguf", FACTS, "cell 'x'")
