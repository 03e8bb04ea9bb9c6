"""Text from outside (answers, labels, notes, messages) as each kind of reader may get it: as text, and nothing more.

Rows, answers and model folders come from others. Whatever is printed or written for people passes one of these
functions where it leaves: the terminal's in ``screen``, the table's in ``markdown``, CSV's in the class of the file.
What is no text at all, as ``is_half`` tells, is refused where it comes in.
"""

import json
import re
import unicodedata
from typing import Any, Final

# As OWASP's "CSV Injection" has it, with the full-width forms of the four signs. Some spreadsheets read over blanks and
# a byte-order mark before them.
_FORMULA: Final = re.compile(r"[\s\ufeff\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]\s*\S|[\t\r\n]")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)

_HALF: Final = re.compile("[\ud800-\udfff]")

_MARKDOWN: Final = re.compile(
    r"(?P<slash>[|`*]"  # columns, code, emphasis
    r"|\\(?=[!-/:-@\[-`{-~]|$)"  # what would make the next sign another one
    r"|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|~(?=~)"  # emphasis; a name such as macro_f1 has none
    r"|\](?=[(\[:]))"  # links, pictures, and the definitions of links
    r"|(?P<html><|&(?=#?\w+;))"
)
_BLOCK: Final = re.compile(
    r"^ *(?:(?P<number>\d+)(?=[.)](?: |$))|(?=#{1,6}(?: |$)|[>+=]|-(?: |-|$)|~~~))", re.MULTILINE
)

_LATEX: Final = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "\u00a0": "~", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedblright{}"},
    **{"[": "{[}", "]": "{]}", "*": "{*}"},  # behind the end of a line, \\, they would be its argument
}

_ACCENTS: Final = {
    **{"\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=", "\u0306": r"\u"},
    **{"\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H", "\u030c": r"\v", "\u0327": r"\c"},
}
"""LaTeX's command for what stands over or under a letter, by Unicode's combining character: those of every encoding."""


class Markdown(str):
    """A text that is Markdown already: ``for_markdown`` leaves it as it is."""

    __slots__ = ()


def for_terminal(text: str, keep: str = "") -> str:
    r"""Return a text whose control characters are visible: escapes, bells, and what turns or hides other letters.

    These are Unicode's classes "other" (C0, C1, DEL, bidirectional and zero-width formats, lone surrogates) and the
    separators of lines and paragraphs.

    Args:
        text: any text.
        keep: control characters that stay as they are, such as the end of a line.

    >>> print(for_terminal("\x1b[2Jred\u202e\n"))
    \x1b[2Jred\u202e\n
    """
    if text.isprintable():
        return text
    return "".join(sign if _visible(sign) or sign in keep else _escape(sign) for sign in text)


def is_half(text: str) -> bool:
    r"""Return whether a text holds half a surrogate pair, which is no character: nothing writes or tokenizes it.

    >>> is_half("\ud83d"), is_half("\U0001f600")
    (True, False)
    """
    return not text.isascii() and bool(_HALF.search(text))


def _visible(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def for_csv(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: such a text begins with an apostrophe. Numbers stay.

    >>> for_csv('=HYPERLINK("http://x")'), for_csv("-1.5"), for_csv(-1.5), for_csv("a = b")
    ('\\'=HYPERLINK("http://x")', '-1.5', -1.5, 'a = b')
    """
    if not isinstance(value, str):
        return value
    formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return ("'" if formula else "") + for_terminal(value)


def for_markdown(text: str) -> Markdown:
    """Return a text as one line of Markdown that shows it: no column, code, link, picture, emphasis or HTML of its own.

    >>> print(for_markdown("a|b <img src=x> [c](javascript:d) macro_f1 [40, 60]"))
    a\\|b &lt;img src=x> [c\\](javascript:d) macro_f1 [40, 60]
    """
    if isinstance(text, Markdown):
        return text
    line = for_terminal(_in_one_line(text))
    return Markdown(_MARKDOWN.sub(lambda found: f"\\{found[0]}" if found["slash"] else _entity(found[0]), line))


def _entity(sign: str) -> str:
    return "&lt;" if sign == "<" else "&amp;"


def for_markdown_lines(text: str) -> Markdown:
    r"""Return lines of a paragraph none of which is taken for a heading, a list, a quote, a rule or front matter.

    >>> print(for_markdown_lines("as\n# a title\n1. and\n---"))
    as
    \# a title
    1\. and
    \---
    """
    return Markdown(_BLOCK.sub(lambda found: f"{found[0]}\\", text))


def code(text: str) -> Markdown:
    """Return a text as a piece of code in a line of Markdown.

    >>> print(code("macro_f1"), code("`c`"))
    `macro_f1` `` `c` ``
    """
    line = for_terminal(_in_one_line(text))
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, blank = "`" * (longest + 1), " " if longest else ""
    return Markdown(f"{fence}{blank}{line}{blank}{fence}")


def for_latex(text: str) -> str:
    """Return a text, in one line, without what LaTeX would read as a command.

    It is of ASCII alone, so that each engine and each encoding of the document has it. Letters get their accents by
    commands; of other characters, which need a font of their own, the code point is written.

    >>> print(for_latex("macro_f1 & 5 %"), for_latex("Café 中"))
    macro\\_f1 \\& 5 \\% Caf\\'{e} U+4E2D
    """
    return "".join(_LATEX.get(sign) or _ascii(sign) for sign in for_terminal(_in_one_line(text)))


def _ascii(sign: str) -> str:
    parts = unicodedata.normalize("NFD", sign)
    letter, accent = parts[0], parts[1:]
    if letter.isascii() and not accent:
        return letter
    if letter.isascii() and accent in _ACCENTS:
        return f"{_ACCENTS[accent]}{{{letter}}}"
    return f"U+{ord(sign):04X}"


def for_script(value: Any) -> str:
    r"""Return a value as JSON that cannot end the script element which it stands in.

    >>> print(for_script("</script><!--"))
    "\u003c/script>\u003c!--"
    """
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return re.sub("[<\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", plain)


def _in_one_line(text: str) -> str:
    return re.sub(r"\s*[\t\n\r\v\f\x85\u2028\u2029]\s*", " ", text)
