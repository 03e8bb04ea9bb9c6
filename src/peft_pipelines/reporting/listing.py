"""Names in running text."""

from collections.abc import Sequence

FEW = 6
"""So many names are listed; of more only the number is told."""


def listed(names: Sequence[str]) -> str:
    """Names as a list in words.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def named(names: Sequence[str], kind: str) -> str:
    """Up to ``FEW`` names as a list in words, more of them as a number.

    >>> named(["a", "b", "c"], "tasks"), named(list("abcdefghi"), "tasks")
    ('a, b and c', '9 tasks')
    """
    return f"{len(names)} {kind}" if len(names) > FEW else listed(names)
