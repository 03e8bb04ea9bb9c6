"""A model of a package: its GGUF weights as safetensors, with a corrected tokenizer."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from peft_pipelines.config import ModelSpec, TokenizerFix


def convert(weights: Path, spec: ModelSpec, folder: Path) -> None:
    """Write GGUF weights as safetensors, with a corrected tokenizer."""
    dtype = getattr(torch, spec.dtype)
    model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=dtype, **_dequantised())
    if hasattr(model, "hf_quantizer"):  # it counts as packed, and would not be saved, though nothing in it is
        model.hf_quantizer.remove_quantization_config(model)
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name, legacy=False)
    if spec.tokenizer:
        tokenizer = fixed_tokenizer(tokenizer, spec.tokenizer)
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.config._name_or_path = spec.name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _dequantised() -> dict[str, Any]:
    """The arguments for plain weights: from release 5 on, transformers may leave them packed as in the file."""
    config = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": config(dequantize=True)} if config else {}


def fixed_tokenizer(converted: PreTrainedTokenizerFast, fix: TokenizerFix) -> PreTrainedTokenizerFast:
    """Return the tokenizer as its authors published it, from the converted one.

    The conversion takes the turn's first token for the end of the text, puts it before every text, knows no padding,
    and drops the rule that each digit is a token.
    """
    backend = Tokenizer.from_str(converted.backend_tokenizer.to_str())
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = [pre_tokenizers.Digits(individual_digits=True)] if fix.split_digits else []
    backend.pre_tokenizer = pre_tokenizers.Sequence([*digits, bytes_of_words])
    backend.decoder = decoders.ByteLevel()
    if not fix.add_bos_token:
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
    fixed = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=converted.bos_token,
        eos_token=fix.eos_token,
        pad_token=fix.pad_token,
        unk_token=fix.pad_token,
        additional_special_tokens=[converted.bos_token],
        model_max_length=fix.model_max_length,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    fixed.chat_template = converted.chat_template
    return fixed
