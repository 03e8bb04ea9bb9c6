"""How the values of a label column and the keys of a task's ``labels`` find each other: by one text for both."""

import re
from collections.abc import Mapping
from functools import lru_cache

from peft_pipelines.config.errors import ConfigError, unknown

HIDDEN = ("-1", "")
"""What stands for a hidden label, unless the row gives it a word."""

BARE = "YAML reads a bare yes, no, on or off as true or false: quote it"

_WHOLE = re.compile(r"(-?\d+)\.0+")
_TRUTH = ("true", "false")
_BARE_WORDS = ("yes", "no", "on", "off")


@lru_cache(maxsize=4096, typed=True)
def label_text(value: object) -> str:
    """Return the text by which a value of a label column and a key of ``labels`` match.

    Truth values are ``true`` and ``false`` however they are written, whole numbers have no point, and white space
    around a text does not count.

    >>> [label_text(value) for value in (True, "False", 0, 0.0, "0.0", -1.0, " good ", "007", 2.5)]
    ['true', 'false', '0', '0', '0', '-1', 'good', '007', '2.5']
    """
    text = str(value).strip()
    if text.lower() in _TRUTH:
        return text.lower()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def word_of(labels: Mapping[int | str, str], value: str, where: str) -> str:
    """Return the word of the label that a value of the column stands for.

    Raises:
        ConfigError: the label is hidden or has no word.

    >>> word_of({"true": "good", "false": "bad"}, "False", "row 0")
    'bad'
    """
    text = label_text(value)
    for key, word in labels.items():
        if label_text(key) == text:
            return word
    allowed = ", ".join(map(str, labels))
    if text in HIDDEN:
        raise ConfigError(f"{where}: label '{value}' is a hidden test label, score another split. Allowed: {allowed}")
    if text.lower() in _BARE_WORDS and set(_TRUTH) & set(map(label_text, labels)):
        raise ConfigError(f"{where}: unknown label '{value}'. Allowed: {allowed}; {BARE}")
    raise unknown(where, "label", value, labels)


def checked_labels(labels: object) -> object:
    """Return the labels of a row, truth values and numbers with a point among the keys as the text that they match.

    Raises:
        ValueError: a key or a word is no text (a bare yes, a date, nothing), or no value could tell two keys apart.

    >>> checked_labels({False: "bad", 1.0: "good"})
    {'false': 'bad', '1': 'good'}
    >>> checked_labels({0: "bad", "0.0": "good"})
    Traceback (most recent call last):
    ValueError: the keys 0 and '0.0' match the same label
    """
    if not isinstance(labels, Mapping):
        return labels
    seen: dict[str, object] = {}
    for key, word in labels.items():
        if not isinstance(key, bool | int | float | str):
            raise ValueError(f"the key {key!r} is no text, quote it")
        if not isinstance(word, str):
            raise ValueError(f"the word of label {key!r} must be text, got {word!r}; {_advice(word)}")
        if label_text(key) in seen:
            raise ValueError(f"the keys {seen[label_text(key)]!r} and {key!r} match the same label")
        seen[label_text(key)] = key
    return {label_text(key) if isinstance(key, bool | float) else key: word for key, word in labels.items()}


def _advice(word: object) -> str:
    return BARE if isinstance(word, bool) else "quote it"
