"""A byte-level tokenizer with merges, for the tiny models: their specials have the ids that these expect."""

import tiny
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

TOKENS = ("<|end|>", "<|pad|>", "<|im_start|>", "<|im_end|>")
WORDS = ("in", "ing")
"""Of two merges; they have the ids 260 and 261, and 262 and 263 are no token's."""


def tokenizer(template: str | None = tiny.CHATML, *, single_digits: bool = False) -> PreTrainedTokenizerFast:
    """Bytes, four special tokens, and two words that merges make; text is split as by GPT-2, or as by SmolLM."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: number for number, text in enumerate([*letters, *TOKENS, *WORDS])}
    backend = Tokenizer(BPE(vocabulary, [("i", "n"), ("in", "g")]))
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = [pre_tokenizers.Digits(individual_digits=True)] if single_digits else []
    backend.pre_tokenizer = pre_tokenizers.Sequence([*digits, bytes_of_words])
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in TOKENS])
    built = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>", pad_token="<|pad|>")
    built.chat_template = template
    return built
