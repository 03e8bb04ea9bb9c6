"""The labels of a task's row: raw values as keys, and the words that the model must answer."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Annotated
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator

from peft_pipelines.config.label_keys import checked_labels
from peft_pipelines.config.spec import Text

NO_LABEL = "invalid"
"""What scores call an answer that is none of the labels."""
FEWEST = 2


def check_words(labels: Mapping[int | str, str]) -> Mapping[int | str, str]:
    """Return the labels; raise ValueError where answers could not be told apart.

    The words must differ in more than white space around them and in the way that Unicode composes letters, and so
    must the names of the counts that are made of them.
    """
    words = [normalize("NFC", word).strip() for word in labels.values()]
    if len(words) < FEWEST:
        raise ValueError(f"must be {FEWEST} or more, got {list(labels.values())}: a single one is always right")
    twice = _twice(words)
    if twice is not None:
        raise ValueError(f"two labels share a word but for white space: '{twice:.80}'")
    if NO_LABEL in words:
        raise ValueError(
            f"no label may be '{NO_LABEL}', as scores call an answer that is no label; write another word, "
            "such as 'not valid'"
        )
    counts = _twice(f"{right}.{answered}" for right, answered in product(words, [*words, NO_LABEL]))
    if counts is not None:
        raise ValueError(f"two counts of answers would both be called '{counts:.80}'; write labels without points")
    return labels


def differ_without_case(words: Sequence[str]) -> bool:
    """Whether all words differ in more than case."""
    return _twice(normalize("NFC", word).strip().casefold() for word in words) is None


def _twice(names: Iterable[str]) -> str | None:
    """The first name that came before."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


Labels = Annotated[dict[int | str, Text], BeforeValidator(checked_labels), AfterValidator(check_words)]
