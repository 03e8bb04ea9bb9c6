"""Markdown tables and paragraphs that read as well in a terminal as rendered."""

from collections.abc import Mapping, Sequence
from textwrap import fill

WIDTH = 120


def paragraph(text: str) -> str:
    """Text broken to the table's width."""
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def render(columns: Mapping[str, Sequence[str]], width: int = WIDTH) -> str:
    """A Markdown table; columns that find no room in ``width`` stand in a further table beneath, names repeated.

    >>> print(render({"method": ["a", "bb"], "x": ["1.0", "10.0"]}))
    | method |    x |
    |:-------|-----:|
    | a      |  1.0 |
    | bb     | 10.0 |
    """
    head, *rest = columns
    widths = {name: max(len(text) for text in [name, *cells]) for name, cells in columns.items()}
    blocks: list[list[str]] = [[]]
    for name in rest:
        if blocks[-1] and sum(widths[part] + 3 for part in [head, *blocks[-1], name]) + 1 > width:
            blocks.append([])
        blocks[-1].append(name)
    return "\n\n".join(_block({name: columns[name] for name in [head, *block]}, widths) for block in blocks)


def left(columns: Mapping[str, Sequence[str]]) -> str:
    """A Markdown table of words, all columns to the left."""
    widths = {name: max(len(text) for text in (name, *cells)) for name, cells in columns.items()}
    lines = [
        list(columns),
        [f":{'-' * (width - 1)}" for width in widths.values()],
        *zip(*columns.values(), strict=True),
    ]
    return "\n".join(
        f"| {' | '.join(text.ljust(width) for text, width in zip(line, widths.values(), strict=True))} |"
        for line in lines
    )


def _block(columns: Mapping[str, Sequence[str]], widths: Mapping[str, int]) -> str:
    head, *rest = columns
    rule = [":" + "-" * (widths[head] + 1)] + ["-" * (widths[name] + 1) + ":" for name in rest]
    rows = [
        [first.ljust(widths[head])] + [text.rjust(widths[name]) for name, text in zip(rest, others, strict=True)]
        for first, *others in [list(columns), *zip(*columns.values(), strict=True)]
    ]
    top, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([top, f"|{'|'.join(rule)}|", *body])
