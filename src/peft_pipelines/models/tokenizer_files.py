"""The files of a tokenizer: what of them reaches the library, and whether it then has the tokens that stand there."""

import inspect
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.fields import check_redirects, read_object, words
from peft_pipelines.models.folder import TEMPLATE, TOKENIZER

FAST, ADDED = "tokenizer.json", "added_tokens.json"
FIELDS = (
    *("tokenizer_class", "chat_template", "model_max_length", "added_tokens_decoder", "additional_special_tokens"),
    *("extra_special_tokens", "model_input_names", "clean_up_tokenization_spaces", "padding_side", "truncation_side"),
    *("add_bos_token", "add_eos_token", "add_prefix_space", "legacy"),
)
"""The fields of tokenizer_config.json that are read, beside the tokens and the arguments of the tokenizer's class."""

FLAGS = ("clean_up_tokenization_spaces", "add_bos_token", "add_eos_token", "add_prefix_space", "legacy")
FILES = ("vocab_file", "merges_file", "tokenizer_file", "tokenizer_object", "gguf_file", "from_slow")
LONGEST = 1_000_000
"""Characters that a chat template may have."""


def tokenizer_fields(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of tokenizer_config.json that a tokenizer knows, without files, which are the folder's own.

    Raises:
        ConfigError: a field could bring in code, or names a file elsewhere.
    """
    check_redirects(values, where)
    for name, value in values.items():
        if name.endswith("_file") and isinstance(value, str) and Path(value).name != value and "special" not in name:
            raise ConfigError(f"{where}: {name} leads out of the folder, got {value!r:.80}; leave it out")
    for name, value in values.items():
        if value is not None and (wanted := _wanted(name, value)):
            raise ConfigError(f"{where}: {name} must be {wanted}, got {value!r:.80}")
    known = {*FIELDS, *_arguments(values.get("tokenizer_class") or "")} - {*FILES}
    return {name: value for name, value in values.items() if name in known or name.endswith("_token")}


def _wanted(name: str, value: Any) -> str | None:
    """What a field must be where it is not; None for a sound one."""
    if name in FLAGS:
        return None if isinstance(value, bool) else "true or false"
    if name.endswith("_side"):
        return None if value in ("left", "right") else "left or right"
    if name.endswith("_token"):
        text = value.get("content") if isinstance(value, dict) else value
        return None if isinstance(text, str) else "a token's text"
    if name == "added_tokens_decoder":
        sound = isinstance(value, dict) and all(
            number.isdecimal() and isinstance(token, dict) and isinstance(token.get("content"), str)
            for number, token in value.items()
        )
        return None if sound else "an object of tokens by their ids"
    kinds: dict[str, tuple[Any, str]] = {
        "tokenizer_class": (str, "the name of a class"),
        "model_max_length": (int | float, "a number"),
        "additional_special_tokens": (list, "a list of tokens"),
        "model_input_names": (list, "a list of names"),
        "chat_template": (str | list, "a text"),
    }
    kind, words_for = kinds.get(name, (object, ""))
    return None if isinstance(value, kind) else words_for


def _arguments(kind: str) -> Iterator[str]:
    """The arguments of a tokenizer's class and of its fast counterpart."""
    for name in (kind, f"{kind}Fast"):
        found = tokenizer_class_from_name(name)
        yield from inspect.signature(found.__init__).parameters if found else ()


def check_template(path: Path, where: str) -> None:
    """Raise ConfigError where a chat template is no UTF-8, begins with a byte order mark, or is too long."""
    where = f"{where}, {TEMPLATE}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if text.startswith("\ufeff"):
        raise ConfigError(f"{where}: a byte order mark would stand in each prompt; save it without")
    if len(text) > LONGEST:
        raise ConfigError(f"{where}: must have at most {LONGEST} characters, got {len(text)}")


def check_tokens(found: PreTrainedTokenizerBase, files: Mapping[str, Path], where: str) -> None:
    """Raise ConfigError where a tokenizer has other tokens than its files say, or loses letters.

    A library gives an added token another id than the file's where that is taken: the model knows it by the file's.
    """
    vocabulary = found.get_vocab()
    twice = [number for number, count in Counter(vocabulary.values()).items() if count > 1]
    if twice:
        tokens = " and ".join(sorted(repr(token) for token, number in vocabulary.items() if number == twice[0])[:2])
        raise ConfigError(f"{where}, {FAST}: each token must have an id of its own, {twice[0]} is that of {tokens}")
    for name, token, number in _added(files, where):
        if not isinstance(number, int) or vocabulary.get(token) != number:
            got = f"for {number!r} {vocabulary.get(token, 'none')}"
            raise ConfigError(f"{where}, {name}: added token '{token:.40}' must have a free id of its own, got {got}")
    _check_letters(found, where)


def _added(files: Mapping[str, Path], where: str) -> Iterator[tuple[str, str, Any]]:
    """The added tokens of the files, each with its file, its text and its id."""
    if FAST in files:
        fast = read_object(files[FAST], where)
        if fast.get("model", {}).get("dropout"):
            raise ConfigError(f"{where}, {FAST}: dropout must be null, got {fast['model']['dropout']}: it draws tokens")
        yield from ((FAST, token["content"], token["id"]) for token in fast.get("added_tokens", ()))
    if TOKENIZER in files:
        listed = read_object(files[TOKENIZER], where).get("added_tokens_decoder") or {}
        yield from ((TOKENIZER, token["content"], int(number)) for number, token in listed.items())
    if ADDED in files:
        yield from ((ADDED, token, number) for token, number in read_object(files[ADDED], where).items())


def _check_letters(found: PreTrainedTokenizerBase, where: str) -> None:
    """A tokenizer without a token for unknown text leaves it out: prompts would lack letters, and no one would see."""
    text = " ".join(string.ascii_letters + string.digits)
    spans = found(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    covered = {place for start, end in spans for place in range(start, end)}
    lost = [letter for place, letter in enumerate(text) if letter != " " and place not in covered]
    if lost:
        raise ConfigError(f"{where}, {FAST}: must have tokens for all letters, it leaves out '{''.join(lost):.20}'")


def reason(error: Exception, files: Mapping[str, Path], where: str, scratch: Path) -> str:
    """Return why no tokenizer can be read, in one line; what tokenizer.json itself says goes before a library's words.

    Args:
        error: what the library raised.
        files: the folder's files.
        where: names the model and the folder.
        scratch: the folder that the library saw.
    """
    if FAST not in files:
        return f"{where}: no tokenizer can be read: {FAST} is not there ({words(error).replace(str(scratch), '')[:90]})"
    try:
        Tokenizer.from_file(str(files[FAST]))
    except Exception as own:  # the library knows no error of its own
        return f"{where}, {FAST}: no tokenizer can be read: {' '.join(str(own).split())[:160]}"
    return f"{where}: no tokenizer can be read: {words(error).replace(str(scratch), 'the folder')}"
