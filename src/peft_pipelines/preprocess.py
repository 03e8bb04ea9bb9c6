"""Row to row functions, for the few columns that a template cannot make. They import nothing of ours."""

import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def mark_spans(row: Row) -> Row:
    """Add ``marked``: the text with the noun phrase (span 1) in * and the pronoun (span 2) in #.

    >>> mark_spans({"text": "Ann fed her cat because it cried.", "span1_text": "her cat", "span1_index": 2,
    ...             "span2_text": "it", "span2_index": 5})["marked"]
    'Ann fed *her cat* because #it# cried.'
    """
    words = row["text"].split(" ")
    for number, mark in ((1, "*"), (2, "#")):
        first = row[f"span{number}_index"]
        last = first + len(row[f"span{number}_text"].split(" ")) - 1
        words[first] = mark + words[first]
        words[last] = re.sub(r"(\W*)$", rf"{mark}\1", words[last], count=1)
    return {**row, "marked": " ".join(words)}


def tidy_equation(row: Row) -> Row:
    """Write whole numbers of ``Equation`` without ".0" and without blanks inside brackets.

    >>> tidy_equation({"Equation": "( ( 7.0 + 2.5 ) - 4.0 )"})["Equation"]
    '((7 + 2.5) - 4)'
    """
    text = re.sub(r"(\d+)\.0\b", r"\1", row["Equation"])
    return {**row, "Equation": text.replace("( ", "(").replace(" )", ")")}


FUNCTIONS: dict[str, Callable[[Row], Row]] = {
    function.__name__: function for function in (mark_spans, tidy_equation)
}
