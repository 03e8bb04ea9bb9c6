"""Overlap of two splits: inputs that are equal or nearly so."""

from typing import Any

import numpy as np

NEAR = 0.9
"""Cosine of character 5-gram counts from which two inputs count as near duplicates."""
PAIRS = 3


def overlap(train: list[str], others: list[str]) -> dict[str, Any]:
    """Count the other inputs that equal a training input (``exact``) or nearly so (``near``); show up to three pairs.

    Equal means equal but for case and white space. Near pairs often differ in the one word that matters, so a reader
    must look at them.

    >>> overlap(["The cat sat."], ["the  cat sat.", "A dog ran."])
    {'exact': 1, 'near': 0, 'pairs': []}
    """
    known = set(map(normalised, train))
    fresh = [text for text in others if normalised(text) not in known]
    near = [[text, train[place]] for text, place, cosine in _nearest(train, fresh) if cosine >= NEAR]
    return {"exact": len(others) - len(fresh), "near": len(near), "pairs": near[:PAIRS]}


def normalised(text: str) -> str:
    """Return the text in lower case with single blanks: the same for inputs that count as equal.

    >>> normalised("The  cat ")
    'the cat'
    """
    return " ".join(text.lower().split())


def _nearest(train: list[str], others: list[str]) -> list[tuple[str, int, float]]:
    """Each other text, the number of the training text that is most like it, and their cosine."""
    if not train or not others:
        return []
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415  (a second of import, which few runs need)

    counter = HashingVectorizer(analyzer="char_wb", ngram_range=(5, 5), n_features=2**20, alternate_sign=False)
    likeness = (counter.transform(others) @ counter.transform(train).T).tocsr()
    best = np.asarray(likeness.argmax(axis=1)).ravel()
    return [
        (text, int(place), float(likeness[row, place]))
        for row, (text, place) in enumerate(zip(others, best, strict=True))
    ]
