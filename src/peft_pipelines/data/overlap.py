"""Whether test inputs stand among the training inputs, to the letter or nearly so."""

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

NEAR = 0.9
"""Cosine of character 5-gram counts from which an input counts as nearly another one."""
PAIRS = 3


def overlap(known: list[str], asked: list[str]) -> dict[str, Any]:
    """How many of the asked inputs stand among the known ones, exactly or nearly, and up to three near pairs.

    Equal means equal but for case and white space. Near pairs often differ in the one word that matters, so they are
    for a reader to judge.

    >>> overlap(["The cat sat."], ["the  cat sat.", "A dog ran."])
    {'exact': 1, 'near': 0, 'pairs': []}
    """
    keys = set(map(key, known))
    fresh = [text for text in asked if key(text) not in keys]
    near = [[text, known[place]] for text, place, cosine in _nearest(known, fresh) if cosine >= NEAR]
    return {"exact": len(asked) - len(fresh), "near": len(near), "pairs": near[:PAIRS]}


def key(text: str) -> str:
    """What two equal inputs have in common.

    >>> key("The  cat ")
    'the cat'
    """
    return " ".join(text.lower().split())


def _nearest(known: list[str], asked: list[str]) -> list[tuple[str, int, float]]:
    """For each asked text the row of the known one that is most like it, and how much."""
    if not known or not asked:
        return []
    counter = HashingVectorizer(analyzer="char_wb", ngram_range=(5, 5), n_features=2**20, alternate_sign=False)
    likeness = (counter.transform(asked) @ counter.transform(known).T).tocsr()
    best = np.asarray(likeness.argmax(axis=1)).ravel()
    return [
        (text, int(place), float(likeness[row, place]))
        for row, (text, place) in enumerate(zip(asked, best, strict=True))
    ]
