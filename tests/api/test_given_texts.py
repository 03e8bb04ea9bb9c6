"""What is given as texts is read as a list of them, or refused by the place of what is none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from peft_pipelines.api.given_texts import check_labels, texts_of


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ("sun", "X must be a list of texts, got 'sun'"),
        ([], "X must have at least 1 text, got 0 samples"),
        ([["a", "b"]], r"X must be texts in one dimension or one column, got an array of shape \(1, 2\)"),
        (pd.Series(["sun", None]), "X, row 1: must be a text, got "),
        ([1.5], "X, row 0: must be a text, got 1.5"),
        ((text for text in ["sun"]), "X must be a list of texts, got <generator"),
        ({"sun"}, "X must be a list of texts, got {'sun'}"),
        (["sun", " \n"], r"X, row 1: must not be empty, got ' \\n'"),
        (["sun", "\ud83d"], r"X, row 1: must be a text, got '\\ud83d'"),
    ],
)
def test_what_holds_no_texts_is_refused(texts: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        texts_of(texts)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["good", float("nan")], "y, row 1: must be a label, got nan"),
        (["good", None], "y, row 1: must be a label, got None"),
        (pd.Series([None, "good"], dtype="string"), "y, row 0: must be a label, got <NA>"),
        (pd.Series(["good", None], dtype="category"), "y, row 1: must be a label, got nan"),
        (pd.Series([1, None], dtype="Int64"), "y, row 1: must be a label, got <NA>"),
        (np.array([1.0, np.nan]), "y, row 1: must be a label, got nan"),
        ([1, "a"], "y must hold labels of one kind, got 1 and 'a'"),
        (["a", True, 2], "y must hold labels of one kind, got 'a' and True and 2"),
    ],
)
def test_labels_that_are_missing_or_of_two_kinds_are_refused(labels: Any, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^{words}$"):
        check_labels(labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"],
        [1, 2.0],
        [True, False],
        np.array([0, 1]),
        pd.Series(["a"], dtype="category"),
        [["a"], ["b"]],
        None,
        3,
    ],
)
def test_labels_of_one_kind_and_what_scikit_learn_refuses_pass(labels: Any) -> None:
    check_labels(labels)
