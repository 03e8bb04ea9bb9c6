"""Raw values: the text that a prompt shows, numbers out of text, and what is refused."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from peft_pipelines.data.preprocess import FUNCTIONS
from peft_pipelines.data.values import number_in, texts_in, whole_in, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.50"),
        ("", ""),
        (12345678901234567890, "12345678901234567890"),
        (0, "0"),
        (-0.0, "-0.0"),
        (2.0, "2.0"),
        (3.799999952316284, "3.799999952316284"),
        (1e22, "1e+22"),
        (Decimal("1.50"), "1.50"),
        (Decimal("0E-10"), "0.0000000000"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_the_text_of_a_value(value: Any, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "is null"),
        (float("nan"), "is no number"),
        (float("-inf"), "is no number"),
        (Decimal("NaN"), "is no number"),
        (["a"], "is a list"),
        ({"a": 1}, "is an object"),
        (b"caf\xe9", "is binary"),
        (date(2024, 1, 5), "is a date"),
        (datetime(2024, 1, 5), "is a point in time"),
        (pd.Timestamp("2024-01-05"), "is a point in time"),
        (time(0, 30), "is a time of day"),
        (timedelta(1), "is a span of time"),
    ],
)
def test_a_value_of_another_kind_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"^{kind}, it must hold text, a number, true or false, got "):
        written(value)


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", None, float("nan"), [1], b"1"])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^column 'x' must be a number, got "):
        number_in({"x": value}, "x")


def test_numbers_are_read_out_of_text() -> None:
    assert (number_in({"x": "3.80"}, "x"), whole_in({"x": "2.0"}, "x"), whole_in({"x": 5}, "x")) == (3.8, 2, 5)
    with pytest.raises(ValueError, match=r"^column 'x' must be a whole number, got '2\.5'"):
        whole_in({"x": "2.5"}, "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("['a', 'b']", "column 'x' must be a list, got \"['a', 'b']\""),
        (["a", None], "column 'x' is a list in which an entry is null, it must hold text"),
        ([["a"]], "column 'x' is a list in which an entry is a list, it must hold text"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"column") as caught:
        texts_in(value, "x")
    assert str(caught.value).startswith(message)


def test_functions_read_the_text_of_a_csv_file() -> None:
    spans = {"text": "the cat , it slept", "span1_index": "0", "span1_text": "the cat", "span2_index": "3"}
    assert FUNCTIONS["mark_spans"]({**spans, "span2_text": "it"})["marked"] == "*the cat* , #it# slept"
    assert FUNCTIONS["one_decimal"]({"label": "3.75"})["score"] == "3.8"


@pytest.mark.parametrize(
    ("function", "row", "column"),
    [
        ("letter_options", {"choices": "['a', 'b']"}, "choices"),
        ("join_endings", {"ctx_a": "A.", "ctx_b": "b", "endings": "c"}, "endings"),
        ("cloze", {"passage": "p", "query": "q", "answers": "Ann"}, "answers"),
    ],
)
def test_text_is_not_taken_for_a_list_of_letters(function: str, row: dict[str, Any], column: str) -> None:
    with pytest.raises(ValueError, match=f"^column '{column}' must be a list, got "):
        FUNCTIONS[function](row)
