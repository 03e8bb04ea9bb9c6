"""A plain model folder as one GGUF file, of the ``llama`` architecture, by the ``gguf`` package of llama.cpp.

Tensors keep their precision; those of one dimension are in fp32, as llama.cpp computes with them. The rows of the
query and key projections are reordered: llama.cpp turns neighbouring pairs of a head's numbers by an angle,
``transformers`` the pairs of its two halves.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, LlamaFileType
from safetensors import safe_open
from transformers import AutoConfig, PretrainedConfig

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.folder import SHARDS
from peft_pipelines.serving.export.gguf_tokens import add_tokenizer

ARCHITECTURE: Final = "llama"
ROPE: Final = ("default", "llama3")
"""The kinds of rotary positions that are written."""
_ARCH: Final = gguf.MODEL_ARCH.LLAMA
_FREQUENCIES: Final = f"{gguf.TENSOR_NAMES[gguf.MODEL_TENSOR.ROPE_FREQS]}.weight"
_KINDS: Final = {
    torch.float32: (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    torch.float16: (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    torch.bfloat16: (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
}
_PAIRS: Final = ("q_proj", "k_proj")


def refuse_config(config: PretrainedConfig, where: str) -> None:
    """Raise ConfigError for a model that no GGUF file is written of."""
    rope = rope_of(config)
    kind = rope.get("rope_type", rope.get("type", "default"))
    for name, got, allowed in (
        ("model type", config.model_type, (ARCHITECTURE,)),
        ("activation", getattr(config, "hidden_act", None), ("silu",)),
        ("kind of rotary positions", kind, ROPE),
    ):
        if got not in allowed:
            instead = "export it as 'merged', which llama.cpp's convert_hf_to_gguf.py reads"
            raise ConfigError(f"{where}: its {name} must be {' or '.join(allowed)}, got '{got}'; {instead}")


def rope_of(config: PretrainedConfig) -> dict[str, Any]:
    """Return the fields of a config on rotary positions, as transformers 5 and 4 have them."""
    found = getattr(config, "rope_parameters", None)
    return dict(found or {"rope_theta": config.rope_theta, **(config.rope_scaling or {})})


def write_file(source: Path, path: Path, facts: dict[str, str], where: str) -> None:
    """Write a GGUF file, one tensor after the other, and compare each with the folder's.

    Args:
        source: a model folder of ``transformers`` with safetensors.
        path: the file.
        facts: ``name``, ``license`` and ``base_model`` for the metadata.
        where: names the model, for errors.

    Raises:
        ConfigError: the model or its tokenizer is not one that is written.
    """
    config = AutoConfig.from_pretrained(source, local_files_only=True)
    refuse_config(config, where)
    with closing(gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[_ARCH])) as writer:
        _add_facts(writer, facts)
        _add_sizes(writer, config)
        add_tokenizer(writer, source, config.vocab_size, where)
        for name, value in tensors_of(source, config, where):
            kind = _KINDS[value.dtype][0]
            writer.add_tensor_info(name, value.shape, np.dtype(np.float32), value.nbytes, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for _, value in tensors_of(source, config, where):
            writer.write_tensor_data(gguf.quants.quantize(value.float().numpy(), _KINDS[value.dtype][0]))
    _check(source, path, config, where)


def _add_facts(writer: gguf.GGUFWriter, facts: dict[str, str]) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(facts["name"])
    writer.add_license(facts["license"])
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, facts["base_model"])


def _add_sizes(writer: gguf.GGUFWriter, config: PretrainedConfig) -> None:
    head = _head(config)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(rope_of(config)["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(_KINDS[config.dtype][1])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _head(config: PretrainedConfig) -> int:
    """The numbers of one attention head."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def tensors_of(source: Path, config: PretrainedConfig, where: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a model folder by their names in GGUF, in the order and precision that they are written in.

    Raises:
        ConfigError: GGUF has no place for one.
    """
    known = gguf.get_tensor_name_map(_ARCH, config.num_hidden_layers)
    if "low_freq_factor" in rope_of(config):
        yield _FREQUENCIES, frequency_factors(config)
    for path in sorted(source.glob(SHARDS)):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118  (not a mapping)
                new = known.get_name(name, try_suffixes=(".weight", ".bias"))
                if new is None:
                    raise ConfigError(f"{where}: GGUF has no place for its tensor '{name}'")
                value = file.get_tensor(name)
                if name.split(".")[-2] in _PAIRS:
                    value = neighbouring(value, value.shape[0] // _head(config))
                yield new, value.float() if value.dim() == 1 else value


def neighbouring(value: torch.Tensor, heads: int) -> torch.Tensor:
    """Return the rows of a query or key projection with the pairs of a head's two halves beside each other.

    >>> neighbouring(torch.arange(8), heads=2).tolist()
    [0, 2, 1, 3, 4, 6, 5, 7]
    """
    return value.reshape(heads, 2, -1, *value.shape[1:]).transpose(1, 2).reshape(value.shape).contiguous()


def frequency_factors(config: PretrainedConfig) -> torch.Tensor:
    """Return what each frequency of Llama 3's long-context positions is divided by, a number for two of a head's."""
    rope, head = rope_of(config), _head(config)
    plain = 1.0 / (rope["rope_theta"] ** (torch.arange(0, head, 2, dtype=torch.float64) / head))
    turns = rope["original_max_position_embeddings"] * plain / (2 * torch.pi)
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    factors: torch.Tensor = 1 / (kept + (1 - kept) / factor)
    return factors.float()


def _check(source: Path, path: Path, config: PretrainedConfig, where: str) -> None:
    """Read the file again, and hold each of its tensors against the folder's."""
    written = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, value in tensors_of(source, config, where):
        tensor = written.pop(name)
        found = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(value.shape)
        if not np.array_equal(found, value.float().numpy()):
            raise RuntimeError(f"{where}: tensor '{name}' of '{path.name}' differs from the one it was made of")
    if written:
        raise RuntimeError(f"{where}: '{path.name}' has tensors that the model does not have: {sorted(written)}")
