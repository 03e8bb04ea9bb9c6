"""A byte-level tokenizer as GGUF holds it: tokens with their kinds, merges, and the name of its splitting rule."""

from pathlib import Path
from typing import Any, Final

from gguf import GGUFWriter, SpecialVocab, TokenType
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json

_LLAMA3: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_BYTES: Final = {"type": "ByteLevel", "add_prefix_space": False}
SPLITTING: Final[dict[str, list[dict[str, Any]]]] = {
    "gpt-2": [{**_BYTES, "use_regex": True}],
    "smollm": [{"type": "Digits", "individual_digits": True}, {**_BYTES, "use_regex": True}],
    "llama-bpe": [
        {"type": "Split", "pattern": {"Regex": _LLAMA3}, "behavior": "Isolated", "invert": False},
        {**_BYTES, "use_regex": False},
    ],
}
"""The rules of splitting text that llama.cpp has under these names (src/llama-vocab.cpp), as tokenizer.json says them.

Rules of other names are not written: a text would be split into other tokens than those that were trained on.
"""
_BYTE: Final = "<0x00>"
_WHOLE_WORDS_FIRST: Final = "llama-bpe"
"""The only rule by which a whole word that is a token is not put together by merges."""


def splitting_of(backend: dict[str, Any], where: str) -> str:
    """Return llama.cpp's name of the splitting rule of a ``tokenizer.json``.

    Raises:
        ConfigError: it is no byte-level tokenizer with merges, or its rule is not among those that are known here.
    """
    model, steps = backend["model"], _steps(backend.get("pre_tokenizer"), "pretokenizers")
    falls_back = model.get("byte_fallback") and _BYTE in model.get("vocab", {})  # without such tokens it does nothing
    if model.get("type") != "BPE" or not model.get("merges") or falls_back:
        raise ConfigError(f"{where}: its tokenizer must be a byte-level BPE with merges, got '{model.get('type')}'")
    plain = [{name: value for name, value in step.items() if name != "trim_offsets"} for step in steps]
    normalizers = _steps(backend.get("normalizer"), "normalizers")
    for name, rule in SPLITTING.items():
        same_words = bool(model.get("ignore_merges")) == (name == _WHOLE_WORDS_FIRST)
        if plain == rule and not normalizers and same_words:
            return name
    kinds = " + ".join(str(step.get("type")) for step in [*normalizers, *plain]) or "nothing"
    raise ConfigError(f"{where}: its tokenizer splits text by {kinds}; known to be llama.cpp's: {', '.join(SPLITTING)}")


def _steps(part: dict[str, Any] | None, inside: str) -> list[dict[str, Any]]:
    """The steps of a sequence in ``tokenizer.json``, of a single step that one."""
    if part is None:
        return []
    return [step for one in part[inside] for step in _steps(one, inside)] if part["type"] == "Sequence" else [part]


def add_tokenizer(writer: GGUFWriter, folder: Path, words: int, where: str) -> None:
    """Write a tokenizer into the metadata of a GGUF file.

    Args:
        writer: of the file.
        folder: a model folder of ``transformers``.
        words: the rows of the model's embeddings; ids without a token are marked as unused.
        where: names the model, for errors.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitting_of(read_json(folder / "tokenizer.json"), where))
    texts, kinds = tokens_of(tokenizer, words)
    writer.add_token_list(texts)
    writer.add_token_types(kinds)
    special = SpecialVocab(folder, load_merges=True, n_vocab=words)
    special.add_special_token["bos"] = adds_bos(tokenizer)
    special.add_to_gguf(writer, quiet=True)


def tokens_of(tokenizer: PreTrainedTokenizerBase, words: int) -> tuple[list[str], list[TokenType]]:
    """Return each id's text and kind: a word, a control token, a text of its own, or unused."""
    known = {number: text for text, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    texts = [known.get(number, f"[PAD{number}]") for number in range(words)]
    kinds = [
        TokenType.UNUSED
        if number not in known
        else TokenType.NORMAL
        if number not in added
        else TokenType.CONTROL
        if added[number].special
        else TokenType.USER_DEFINED
        for number in range(words)
    ]
    return texts, kinds


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether a tokenizer puts its first token before each text by itself."""
    return tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
