"""The tokenizer of a GGUF file: kinds of tokens, and splitting rules that llama.cpp has under a name."""

import json
from typing import Any

import pytest
import tiny
import words_of_bytes
from gguf import TokenType

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.export.gguf_tokens import SPLITTING, adds_bos, splitting_of, tokens_of


def backend(**changes: Any) -> dict[str, Any]:
    """What tokenizer.json holds, with some parts changed."""
    found: dict[str, Any] = json.loads(words_of_bytes.tokenizer().backend_tokenizer.to_str())
    return {**found, **changes}


def test_each_id_has_a_text_and_a_kind() -> None:
    built = words_of_bytes.tokenizer()
    built.add_tokens(["[own]"])
    texts, kinds = tokens_of(built, 264)
    assert texts[256:] == [*words_of_bytes.TOKENS, "in", "ing", "[own]", "[PAD263]"]
    assert kinds[255:] == [
        TokenType.NORMAL,
        *[TokenType.CONTROL] * 4,
        *[TokenType.NORMAL] * 2,
        TokenType.USER_DEFINED,
        TokenType.UNUSED,
    ]


@pytest.mark.parametrize("name", SPLITTING)
def test_a_rule_has_llama_cpps_name(name: str) -> None:
    rule = {"type": "Sequence", "pretokenizers": [{"trim_offsets": True, **step} for step in SPLITTING[name]]}
    model = {**backend()["model"], "byte_fallback": True, "ignore_merges": name == "llama-bpe"}
    assert splitting_of(backend(pre_tokenizer=rule, model=model), "cell 'x'") == name


def test_the_rule_of_single_digits_is_seen_in_a_tokenizer() -> None:
    built = words_of_bytes.tokenizer(single_digits=True)
    assert splitting_of(json.loads(built.backend_tokenizer.to_str()), "cell 'x'") == "smollm"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"pre_tokenizer": {"type": "Whitespace"}},
            "splits text by Whitespace; known to be llama.cpp's: gpt-2, smollm",
        ),
        ({"normalizer": {"type": "NFC"}}, r"splits text by NFC \+ ByteLevel"),
        ({"model": {"type": "Unigram"}}, "must be a byte-level BPE with merges, got 'Unigram'"),
        ({"model": {"type": "BPE", "merges": []}}, "with merges"),
        ({"model": {"type": "BPE", "merges": ["a b"], "byte_fallback": True, "vocab": {"<0x00>": 3}}}, "with merges"),
    ],
)
def test_another_rule_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        splitting_of(backend(**changes), "cell 'x'")


def test_who_puts_the_first_token_is_asked_of_the_tokenizer() -> None:
    assert not adds_bos(tiny.tokenizer(tiny.CHATML))
