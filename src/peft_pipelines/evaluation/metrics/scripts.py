"""Words of texts in any script, for metrics whose own tokenisers know Latin letters, or words between blanks, only."""

import re
import unicodedata
from typing import Final

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_SIGN: Final = re.compile(f"[{_UNSPACED}]")
_OTHER: Final = re.compile("[^a-z0-9]+")


def spaced(text: str) -> str:
    """Return a text with blanks around each sign of a script that is written without them; other texts as they are.

    Signs that combine with the one before them stay with it.

    >>> spaced("GPT 是模型。"), spaced("plain text, as it is")
    ('GPT  是  模  型 。', 'plain text, as it is')
    """
    if not _SIGN.search(text):
        return text
    parts: list[str] = []
    for sign in text:
        if parts and unicodedata.category(sign).startswith("M"):
            parts[-1] = f"{parts[-1].rstrip()}{sign} " if parts[-1].startswith(" ") else parts[-1] + sign
        else:
            parts.append(f" {sign} " if _SIGN.match(sign) and sign.isalnum() else sign)
    return "".join(parts)


class AnyScript:
    """The tokeniser that rouge-score is given: its own one for plain English, and words of letters of all scripts.

    For text in ASCII both are the same.
    """

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text: runs of letters, digits and what combines with them, in lower case.

        >>> AnyScript().tokenize("Кот-2 sat: don't 猫座る")
        ['кот', '2', 'sat', 'don', 't', '猫', '座', 'る']
        """
        lower = unicodedata.normalize("NFC", text).lower()
        if lower.isascii():
            return _OTHER.sub(" ", lower).split()
        return "".join(sign if _belongs(sign) else " " for sign in spaced(lower)).split()


def _belongs(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"
