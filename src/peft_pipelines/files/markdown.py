"""Markdown tables and paragraphs that read as well in a terminal as rendered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from peft_pipelines.files.escape import for_markdown, for_markdown_lines, for_terminal

WIDTH = 120


def paragraph(text: str) -> str:
    """Text broken to the table's width. What is not ``Markdown`` already is shown as it stands."""
    return for_markdown_lines(fill(for_markdown(text), WIDTH, break_long_words=False, break_on_hyphens=False))


def heading(level: int, text: str) -> str:
    """A heading of a level from 1; the text is shown as it stands."""
    return f"{'#' * level} {for_markdown(text)}"


def bullets(lines: Iterable[str]) -> str:
    """A list with an item a line; the texts are shown as they stand.

    >>> print(bullets(["one", "<b>two"]))
    * one
    * &lt;b>two
    """
    return "\n".join(f"* {for_markdown(line)}" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """A block of code, whatever lines stand in it."""
    fence = "`" + max([*re.findall("`{3,}", text), "``"], key=len)
    return "\n".join([f"{fence}{language}", for_terminal(text, keep="\n"), fence])


def render(columns: Mapping[str, Sequence[str]], *, words: bool = False, width: int = WIDTH) -> str:
    """A Markdown table: the first column on the left, the others, which hold numbers, on the right.

    Columns that find no room in ``width`` letters stand in a further table beneath, the first column repeated. A table
    of words has all columns on the left, and stands whole however wide it is. Names and cells are texts that are shown
    as they stand, whatever is in them; only those that are ``Markdown`` already are taken as such.

    >>> print(render({"method": ["a", "bb"], "x": ["1.0", "10.0"]}))
    | method |    x |
    |:-------|-----:|
    | a      |  1.0 |
    | bb     | 10.0 |
    >>> print(render({"method": ["a", "bb"], "x": ["yes", "no"]}, words=True))
    | method | x   |
    | :----- | :-- |
    | a      | yes |
    | bb     | no  |
    """
    columns = {for_markdown(name): [for_markdown(text) for text in cells] for name, cells in columns.items()}
    widths = {name: max(len(text) for text in [name, *cells]) for name, cells in columns.items()}
    blocks = [list(columns)] if words else _blocks(widths, width)
    return "\n\n".join(_block({name: columns[name] for name in block}, widths, words) for block in blocks)


def _blocks(widths: Mapping[str, int], width: int) -> list[list[str]]:
    """The names of the columns of each table, the first column in all of them."""
    head, *rest = widths
    blocks = [[head]]
    for name in rest:
        if len(blocks[-1]) > 1 and sum(widths[part] + 3 for part in [*blocks[-1], name]) + 1 > width:
            blocks.append([head])
        blocks[-1].append(name)
    return blocks


def _block(columns: Mapping[str, Sequence[str]], widths: Mapping[str, int], words: bool) -> str:
    head, *rest = columns
    if words:
        rule = [f" :{'-' * (widths[name] - 1)} " for name in columns]
    else:
        rule = [f":{'-' * (widths[head] + 1)}", *(f"{'-' * (widths[name] + 1)}:" for name in rest)]
    padded = [
        [text.ljust(widths[name]) if words or name == head else text.rjust(widths[name]) for text in (name, *cells)]
        for name, cells in columns.items()
    ]
    top, *body = [f"| {' | '.join(line)} |" for line in zip(*padded, strict=True)]
    return "\n".join([top, f"|{'|'.join(rule)}|", *body])
