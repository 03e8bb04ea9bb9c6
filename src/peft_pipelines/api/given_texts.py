"""Texts as scikit-learn's users give them: in lists, arrays, series and tables of one column."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def texts_of(given: Any) -> list[str]:
    """Return texts in a list.

    Raises:
        ValueError: they are none, or the table has several columns.

    >>> texts_of(np.array([["fun"], ["dull"]]))
    ['fun', 'dull']
    >>> texts_of(["fun", None])
    Traceback (most recent call last):
    ValueError: X, row 1: must be a text, got None
    """
    if isinstance(given, str | Mapping):
        raise ValueError(f"X must be a list of texts, got {given!r:.80}")
    table = np.asarray(given, dtype=object)
    if table.ndim not in (1, 2) or (table.ndim == 2 and table.shape[1] != 1):  # noqa: PLR2004  (a column, a table)
        raise ValueError(f"X must be texts in one dimension or one column, got an array of shape {table.shape}")
    found: Sequence[Any] = table.ravel().tolist()
    if not found:
        raise ValueError("X must have at least 1 text, got 0 samples")
    for number, text in enumerate(found):
        if not isinstance(text, str):
            raise ValueError(f"X, row {number}: must be a text, got {text!r:.80}")
    return [str(text) for text in found]
