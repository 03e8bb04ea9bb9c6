"""What is given as texts is read as a list of them, or refused by the place of what is none."""

from typing import Any

import pandas as pd
import pytest

from peft_pipelines.api.given_texts import texts_of


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("sun", "X must be a list of texts, got 'sun'"),
        ([], "X must have at least 1 text, got 0 samples"),
        ([["a", "b"]], r"X must be texts in one dimension or one column, got an array of shape \(1, 2\)"),
        (pd.Series(["sun", None]), "X, row 1: must be a text, got "),
        ([1.5], "X, row 0: must be a text, got 1.5"),
    ],
)
def test_what_holds_no_texts_is_refused(texts: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        texts_of(texts)
