"""Texts and labels as scikit-learn's users give them: in lists, arrays, series and tables of one column."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from peft_pipelines.files.escape import is_half


def texts_of(given: Any) -> list[str]:
    """Return texts in a list.

    Raises:
        ValueError: they are none, one is empty or holds half a character, or the table has several columns.

    >>> texts_of(np.array([["fun"], ["dull"]]))
    ['fun', 'dull']
    >>> texts_of(["fun", None])
    Traceback (most recent call last):
    ValueError: X, row 1: must be a text, got None
    """
    table = np.asarray(given, dtype=object)
    if not table.ndim:
        raise ValueError(f"X must be a list of texts, got {given!r:.80}")
    if table.ndim not in (1, 2) or (table.ndim == 2 and table.shape[1] != 1):  # noqa: PLR2004  (a column, a table)
        raise ValueError(f"X must be texts in one dimension or one column, got an array of shape {table.shape}")
    found: Sequence[Any] = table.ravel().tolist()
    if not found:
        raise ValueError("X must have at least 1 text, got 0 samples")
    for number, text in enumerate(found):
        if not isinstance(text, str) or is_half(text):
            raise ValueError(f"X, row {number}: must be a text, got {text!r:.80}")
        if not text.strip():
            raise ValueError(f"X, row {number}: must not be empty, got {text!r:.80}")
    return [str(text) for text in found]


def check_labels(given: Any) -> None:
    """Check what scikit-learn would take for a label although it is none, or write as text beside other texts.

    Raises:
        ValueError: a label is missing, or texts stand beside other labels.

    >>> check_labels(["good", float("nan")])
    Traceback (most recent call last):
    ValueError: y, row 1: must be a label, got nan
    >>> check_labels([1, "2"])
    Traceback (most recent call last):
    ValueError: y must hold labels of one kind, got 1 and '2'
    """
    import pandas as pd  # noqa: PLC0415  (heavy: only a fit needs it)

    table = np.asarray(given, dtype=object)
    missing = np.flatnonzero(pd.isna(table.ravel())) if table.ndim else ()
    for number in missing:
        raise ValueError(f"y, row {number}: must be a label, got {table.ravel()[number]!r:.80}")
    first: dict[type, Any] = {}
    for label in table.ravel().tolist():
        first.setdefault(next((kind for kind in (str, bool) if isinstance(label, kind)), object), label)
    if len(first) > 1:
        raise ValueError(
            f"y must hold labels of one kind, got {' and '.join(f'{one!r:.80}' for one in first.values())}"
        )
