"""Real models and tokenizers small enough to build in milliseconds: random weights from configs, nothing downloaded.

Weights are drawn wider than a real initialisation, so that logits lie far apart and an error of a wrong position or a
lost cache cannot hide in the rounding.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from base_rows import METHODS, ROWS, training_args
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers import models as token_models
from transformers import (
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    OPTConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
)
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model

__all__ = ["METHODS", "ROWS", "training_args"]

WORDS = 264
"""256 bytes and eight special tokens."""

SPECIAL = ("<|end|>", "<|pad|>", "<|im_start|>", "<|im_end|>", "<|begin|>", "<|head|>", "<|/head|>", "<|eot|>")

CHATML = (
    "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DATED = (
    "<|begin|><|head|>system<|/head|>\n\nToday: "
    '{{ date_string if date_string is defined else strftime_now("%d %b %Y") }}<|eot|>'
    "{% for turn in messages %}<|head|>{{ turn.role }}<|/head|>\n\n{{ turn.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}"
)
UNCLOSED = "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n{% endfor %}"


def tokenizer(template: str | None = None) -> PreTrainedTokenizerFast:
    """One token a byte; the specials have the ids 256 to 263."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(token_models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    built = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>", pad_token="<|pad|>")
    built.chat_template = template
    return built


SHARED = {"vocab_size": WORDS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
ENDS = {"bos_token_id": None, "eos_token_id": 256, "pad_token_id": 257}
GATED = {**SHARED, **ENDS, "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 1024}
NO_DROPOUT = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}

CONFIGS: dict[str, Callable[[], PretrainedConfig]] = {
    "llama": lambda: LlamaConfig(**GATED),
    "qwen2": lambda: Qwen2Config(**GATED),
    "mistral": lambda: MistralConfig(**GATED, sliding_window=None),
    "mistral_window": lambda: MistralConfig(**GATED, sliding_window=16),
    "gemma3": lambda: Gemma3TextConfig(
        **GATED, head_dim=16, sliding_window=256, layer_types=["sliding_attention", "full_attention"]
    ),
    "gpt2": lambda: GPT2Config(vocab_size=WORDS, n_embd=32, n_layer=2, n_head=4, n_positions=512, **NO_DROPOUT, **ENDS),
    "opt": lambda: OPTConfig(
        **SHARED, **ENDS, ffn_dim=48, max_position_embeddings=512, word_embed_proj_dim=32, dropout=0.0
    ),
    "gpt_neox": lambda: GPTNeoXConfig(**SHARED, **ENDS, intermediate_size=48, max_position_embeddings=512),
}
FAMILIES = tuple(name for name in CONFIGS if name != "mistral_window")


def fresh(family: str, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A new model of a family, the same at each call, frozen and in eval mode as a base is."""
    config = CONFIGS[family]()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        for parameter in model.parameters():
            spread = 0.25 if parameter.dim() > 1 else 0.05
            parameter.data += spread * torch.randn(parameter.shape)
    model.config._name_or_path = model.name_or_path = f"tiny-{family}"
    return model.to(dtype).requires_grad_(False).eval()


@functools.cache
def base(family: str) -> PreTrainedModel:
    """The one base of a family in this process: a test that changes it breaks the next one."""
    return fresh(family)


def skeleton(family: str) -> PreTrainedModel:
    """The family's modules on the meta device."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(CONFIGS[family]())


CASES = [(name, family) for name in METHODS for family in FAMILIES]
"""Each method row on each family of models; ``method_for`` skips the test where the family does not take the row."""


def method_for(name: str, family: str) -> MethodSpec:
    """The row for a family of models. The test is skipped where the row is refused for it."""
    reason = refusal(name, family)
    if reason:
        pytest.skip(reason)
    return retargeted(name, family)


@functools.cache
def refusal(name: str, family: str) -> str | None:
    """The error by which a row is refused for a family before weights are read; None for a row that fits."""
    try:
        providers.check(retargeted(name, family), skeleton(family))
    except ConfigError as error:
        return str(error)
    return None


def taken(family: str) -> list[str]:
    """The method rows that fit a family."""
    return [name for name in METHODS if not refusal(name, family)]


def retargeted(name: str, family: str) -> MethodSpec:
    """The row, with the family's attention in place of targets that it lists and the family does not have."""
    method, modules = METHODS[name], modules_of(family)
    listed = method.config.get("target_modules")
    if not isinstance(listed, list) or all(any(f".{path}".endswith(f".{one}") for path in modules) for one in listed):
        return method
    attention = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING[CONFIGS[family]().model_type]
    return method.model_copy(update={"config": {**method.config, "target_modules": list(attention)}})


@functools.cache
def modules_of(family: str) -> list[str]:
    """The paths of a family's modules."""
    return [path for path, _ in skeleton(family).named_modules()]


def attach(name: str, family: str, seed: int = 0) -> Attached:
    """A method row on a clone of the family's base."""
    return providers.attach(base_model.clone(base(family)), method_for(name, family), seed)


def stir(attached: Attached, spread: float = 0.1) -> Attached:
    """Move what is trainable away from its start, so that a method at the identity has something to show."""
    draw = torch.Generator().manual_seed(7)
    for parameter in attached.trainable().values():
        parameter.data += spread * torch.randn(parameter.shape, generator=draw).to(parameter.dtype)
    return attached


def tuned(name: str, family: str) -> Attached:
    """A method row that shows something, ready to answer."""
    attached = stir(attach(name, family))
    attached.plain.eval()
    return attached


def losses_of(attached: Attached, tokens: torch.Tensor, steps: int = 12, learning_rate: float = 0.03) -> list[float]:
    """The loss at each step of a training that repeats rows of tokens."""
    optimizer = torch.optim.AdamW(attached.trainable().values(), lr=learning_rate)
    attached.plain.train()
    losses = []
    for _ in range(steps):
        with base_model.autocast(attached.core, attached.precision):
            loss = attached.plain(input_ids=tokens, attention_mask=torch.ones_like(tokens), labels=tokens).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def ids(length: int, rows: int = 1, seed: int = 3) -> torch.Tensor:
    """Token ids (rows, length), none of them special."""
    return torch.randint(0, 256, (rows, length), generator=torch.Generator().manual_seed(seed))


START = [17, 5, 99, 200, 31]
LENGTHS = (9, 2, 6, 1, 4)


def prompts() -> list[list[int]]:
    """Token ids of prompts that begin alike and are of several lengths."""
    texts = ids(max(LENGTHS), rows=len(LENGTHS)).tolist()
    return [START + text[:length] for text, length in zip(texts, LENGTHS, strict=True)]


def logits(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What a model says of rows without padding; what it says of a soft prompt before them is left out."""
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
    return found[:, -tokens.shape[1] :]


def traits(model: PreTrainedModel) -> Iterator[tuple[Any, ...]]:
    """All that a library may leave behind in a model beside its numbers: classes, attributes, hooks, flags."""
    for name, module in model.named_modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        yield name, type(module), sorted(vars(module)), [list(hook) for hook in hooks], module.training
    for name, parameter in model.named_parameters():
        yield name, parameter.requires_grad, parameter.grad is None, parameter.dtype
    yield "config", model.config.to_json_string()
