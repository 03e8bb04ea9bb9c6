r"""The number that an answer states, however it is written: "$1,234.50", "\boxed{\frac{3}{4}}", "#### -3 points."."""

import re
from decimal import Decimal
from fractions import Fraction

# A minus after a digit, a letter or a bracket is a subtraction or a hyphen; digits after a letter or ^ belong to a
# unit or a power (m2, m^2); a comma separates thousands only before exactly three digits.
_SIGN = r"(?P<minus>(?<![0-9A-Za-z)\]])[-\u2212])?\\?[$€£]?"
_WHOLE = r"(?<![0-9A-Za-z^])(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
_DECIMAL = rf"{_WHOLE}(?:\.[0-9]+)?|(?<![0-9A-Za-z.])\.[0-9]+"
# A fraction stands alone: brackets, signs or a third number around it make it a part of a calculation or a date.
_INTEGER = "[0-9]{1,12}"
_SLASHED = (
    r"(?(minus)|(?<![-\u2212]))(?<![0-9A-Za-z^.,/*+(])"
    rf"(?:(?P<whole>{_INTEGER}) )?(?P<over>{_INTEGER})/(?P<under>{_INTEGER})(?![0-9A-Za-z/*)]|[.,][0-9])"
)
_STACKED = (
    rf"(?<![0-9.,])(?P<units>{_INTEGER})?\\[dt]?frac"
    rf"(?:\{{(?P<top>-?{_INTEGER})\}}\{{(?P<bottom>{_INTEGER})\}}|(?P<a>[0-9])(?P<b>[0-9]))"
)
_NUMBER = re.compile(rf"{_SIGN}(?:{_STACKED}|{_SLASHED}|(?P<digits>{_DECIMAL}))")

_THIN_SPACE = re.compile(r"(?<=[0-9])(?:\{,\}|\\[,!])+(?=[0-9]{3})")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_MARK = "####"


def final_number(text: str) -> Fraction | None:
    r"""The number that a text gives as its answer, exactly, or None.

    That is what the last ``\boxed{...}`` holds, else a number right behind the last "####", else the last number of the
    text. Where a box or a line of "####" is an equation, its last side counts. The first number in a box counts, for
    units may have digits. "50%" is 50. "3/4" and "2 1/2" are fractions where they stand alone and do not come out even:
    "48/2" is a calculation, and its last number 2.

    >>> texts = ("9 * 2 = $<<9*2=18>>18\n#### 1,800.0 dollars.", r"\boxed{-\frac{1}{2}} of 4", "it fell to -3.", "two")
    >>> [str(final_number(text)) for text in texts]
    ['1800', '-1/2', '-3', 'None']
    """
    text = _THIN_SPACE.sub("", text)
    found = _NUMBER.search(_last_side(_boxed(text))) or _NUMBER.match(_last_side(_marked(text)))
    if found:
        return _value(found)
    numbers = list(_NUMBER.finditer(text))
    return _value(numbers[-1]) if numbers else None


def is_number(text: str) -> bool:
    """True for a text that is one number and nothing else, but for a sign, a currency, a percent sign or a full stop.

    >>> is_number(" $1,234.50."), is_number("18 eggs")
    (True, False)
    """
    return bool(_NUMBER.fullmatch(text.strip().removesuffix(".").removesuffix("%").rstrip()))


def _boxed(text: str) -> str:
    """Content of the last box, up to the bracket that closes it; empty without a box."""
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return ""
    rest, open_brackets = text[boxes[-1].end() :], 1
    for place, letter in enumerate(rest):
        open_brackets += {"{": 1, "}": -1}.get(letter, 0)
        if open_brackets == 0:
            return rest[:place]
    return rest


def _marked(text: str) -> str:
    return text.rpartition(_MARK)[2].partition("\n")[0] if _MARK in text else ""


def _last_side(equation: str) -> str:
    return equation.rpartition("=")[2].strip()


def _value(found: re.Match[str]) -> Fraction:
    part = found.groupdict()
    sign = -1 if part["minus"] else 1
    if part["digits"]:
        return sign * Fraction(Decimal(part["digits"].replace(",", "")))
    over, under = (int(part[a] or part[b] or part[c]) for a, b, c in (("over", "top", "a"), ("under", "bottom", "b")))
    if under == 0 or (part["under"] and over and over % under == 0):
        return Fraction(under)
    whole = int(part["whole"] or part["units"] or 0)
    return sign * (Fraction(over, under) + (whole if over < under else 0))
