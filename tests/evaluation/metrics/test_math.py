from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peft_pipelines.evaluation.metrics.math import (
    equation_accuracy,
    equation_consistency,
    evaluate,
    format_rate,
    number_accuracy,
)
from peft_pipelines.evaluation.metrics.number_parsing import final_number, is_number
from peft_pipelines.evaluation.metrics.registry import score

untimed = settings(deadline=None)  # a busy machine is no error
NUMBER_METRICS = ["number_accuracy", "equation_accuracy", "equation_consistency"]
SVAMP = [["(8 - 3) = 5"], ["((7 + 2.5) - 4) = 5.5"], ["(4 - 2) = 2"], ["(10 / 4) = 2.5"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "5"),
        ("5.0", "5"),
        ("5.", "5"),
        ("The answer is 5.", "5"),
        ("5.50", "5.5"),
        (".5", "0.5"),
        ("so ...5", "5"),
        ("$1,234.50", "1234.5"),
        ("costs $18.00.", "18"),
        ("€7", "7"),
        ("Rs.500", "500"),
        ("1,450,000", "1450000"),
        ("1, 2, 3", "3"),
        ("1,2,3", "3"),
        ("1,2345", "2345"),
        ("#### 72", "72"),
        ("48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = 72.\n#### 72", "72"),
        ("= 5", "5"),
        ("=5\n", "5"),
        ("(8 - 3) = 5", "5"),
        ("(8 - 3)", "3"),
        ("8-3", "3"),
        ("(5+1)-3", "3"),
        ("(3 - 8) = -5", "-5"),
        ("(3-8)=-5", "-5"),
        ("-$5", "-5"),
        ("\u22125", "-5"),
        ("-10", "-10"),
        ("-0", "0"),
        ("pages 10-20", "20"),
        ("COVID-19", "19"),
        ("**5**", "5"),
        (r"\boxed{-5}", "-5"),
        ("50%", "50"),
        ("5 apples", "5"),
        ("5km", "5"),
        ("5 m2", "5"),
        ("5 m^2", "5"),
        ("5-year-old", "5"),
        ("007", "7"),
        (r"\boxed{5} since 3 remain", "5"),
        (r"first \boxed{4}, no, \boxed{x = 7}", "7"),
        (r"\boxed{12\text{ cm}^2}", "12"),
        (r"\boxed{1{,}234}", "1234"),
        (r"\boxed{\frac{3}{4}} of 8", "0.75"),
        (r"\boxed{-\dfrac{1}{2}}", "-0.5"),
        (r"\boxed{3\frac12}", "3.5"),
        (r"\boxed{50\%}", "50"),
        (r"\boxed{6", "6"),
        (r"\boxed{} so 9", "9"),
        (r"\frac{-1}{2}", "-0.5"),
        (r"10\,000 people", "10000"),
        (r"\$1,234.50", "1234.5"),
        ("$-5", "-5"),
        ("3/4", "0.75"),
        ("x = 3/4.", "0.75"),
        ("-3/4", "-0.75"),
        ("2 1/2 hours", "2.5"),
        ("1/4, 1/2", "0.5"),
        ("7 3/2", "1.5"),
        ("10-3/4", "4"),
        ("(10/4)", "4"),
        ("48/2", "2"),
        ("3/0", "0"),
        ("on 3/4/2020", "2020"),
        ("#### 72 of 100", "72"),
        ("#### 72\nThat is for 3 people.", "72"),
        ("#### $1,234.50.", "1234.5"),
        ("#### -3 degrees", "-3"),
        ("#### 48 + 24 = 72", "72"),
        ("#### Step 2\nso 18 in all", "18"),
        ("so 5\n####", "5"),
        ("#### 8 #### 9", "9"),
        ("about 25 percent", "25"),
    ],
)
def test_final_number_of_a_text(text: str, expected: str) -> None:
    assert final_number(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "####", "five", "-", "$", ".", "m2", "\u0665"])
def test_text_without_a_number_has_no_final_number(text: str) -> None:
    assert final_number(text) is None


@pytest.mark.parametrize("text", ["5", " -$1,234.50. ", "3/4", "50%", "50 %", "2 1/2", r"\frac{1}{2}", ".5"])
def test_a_number_and_nothing_else(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "5 eggs", "5 6", "= 5", "#### 5", "5..", "five", "4 + 5", "m2"])
def test_more_or_less_than_a_number(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("48 + 24 = 72\n#### 72", 1.0),
        ("#### 72", 1.0),
        ("####72", 1.0),
        ("#### $1,234.50\n", 1.0),
        ("#### 72.", 1.0),
        ("#### 3", 1.0),
        ("72", 0.0),
        ("the answer is #### 72", 0.0),
        ("#### 72\nDone.", 0.0),
        ("#### 72 clips", 0.0),
        ("#### ", 0.0),
        ("### 72", 0.0),
        ("", 0.0),
    ],
)
def test_format_rate_of_one_row_asks_for_the_form_and_not_for_the_number(prediction: str, expected: float) -> None:
    assert format_rate([prediction], [["48 + 24 = 72\n#### 72"]], []) == {"format_rate": expected}


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("(8 - 3) = 5", "(8 - 3) = 5", 1.0),
        ("5", "(8 - 3) = 5", 1.0),
        ("(9 - 4) = 5.0", "(8 - 3) = 5", 1.0),
        ("(8 - 3) = 6", "(8 - 3) = 5", 0.0),
        ("#### 1,450,000", "work\n#### 1450000", 1.0),
        ("3.33", "3.3333", 0.0),
        ("no idea", "(8 - 3) = 5", 0.0),
        ("no idea", "no number here either", 0.0),
    ],
)
def test_number_accuracy_of_one_row(prediction: str, reference: str, expected: float) -> None:
    assert number_accuracy([prediction], [[reference]], []) == {"number_accuracy": expected}


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("((7 + 2.5) - 4) = 5.5", 1.0),
        ("( ( 7.0 + 2.5 ) - 4.00 )=5.5\n", 1.0),
        ("((7 + 2.5) - 4)", 1.0),
        ("((7 + 2.5) - 4) = 99", 1.0),
        ("((2.5 + 7) - 4) = 5.5", 0.0),
        ("(7 + 2.5) - 4 = 5.5", 0.0),
        ("((7 + 2.05) - 4) = 5.5", 0.0),
        ("((7 + 2 .5) - 4) = 5.5", 0.0),
        ("((70 + 2.5) - 4) = 5.5", 0.0),
        ("x = ((7 + 2.5) - 4)", 0.0),
        ("5.5", 0.0),
        ("", 0.0),
    ],
)
def test_equation_accuracy_of_one_row(prediction: str, expected: float) -> None:
    assert equation_accuracy([prediction], [["((7 + 2.5) - 4) = 5.5"]], []) == {"equation_accuracy": expected}


def test_digits_apart_are_not_one_number() -> None:
    assert equation_accuracy(["(1 1 + 2) = 13"], [["(11 + 2) = 13"]], []) == {"equation_accuracy": 0.0}


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("(8 - 3) = 5", 1.0),
        ("(8 - 3) = 5.0 apples", 1.0),
        ("(0.1 + 0.2) = 0.3", 1.0),
        ("(3 - 8) = -5", 1.0),
        ("(8 - 3) = 6", 0.0),
        ("(10 / 3) = 3.33", 0.0),
        ("(1 / 0) = 0", 0.0),
        ("(8 - 3)", 0.0),
        ("= 5", 0.0),
        ("8 apples - 3 apples = 5", 0.0),
    ],
)
def test_equation_consistency_of_one_row(prediction: str, expected: float) -> None:
    assert equation_consistency([prediction], [["(8 - 3) = 5"]], []) == {"equation_consistency": expected}


# --- known traps ---


def test_constant_answer_games_consistency_and_gets_no_equation_right() -> None:
    scores = score(NUMBER_METRICS, ["(1+1)=2"] * len(SVAMP), SVAMP, [])
    assert scores == {"number_accuracy": 1 / 4, "equation_accuracy": 0.0, "equation_consistency": 1.0, "n": 4.0}


def test_right_answers_score_all_of_each_metric() -> None:
    scores = score(NUMBER_METRICS, [item[0] + "\n" for item in SVAMP], SVAMP, [])
    assert scores == dict.fromkeys(NUMBER_METRICS, 1.0) | {"n": 4.0}


@pytest.mark.parametrize(
    "text",
    [
        "2 ** 3",
        "9**9**9**9",
        "7 // 2",
        "7 % 2",
        "1e9",
        "0x10",
        "1_000",
        "1 / 0",
        "+5",
        "...",
        "5(3)",
        "(1, 2)",
        "1 < 2",
        "abs(1)",
        "__import__('os')",
        "",
        " ",
        "()",
        "1 +",
        "1 1",
        "1\n+ 1",
        "(" * 100,
        "1+" * 50 + "1",
        "\u0661 + 1",
    ],
)
@pytest.mark.filterwarnings("error")
def test_anything_but_short_plain_arithmetic_has_no_value(text: str) -> None:
    assert evaluate(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", Fraction(5)),
        (" 5. ", Fraction(5)),
        ("-(-5)", Fraction(5)),
        ("2 + 3 * 4", Fraction(14)),
        ("(10 / (4 + 6))", Fraction(1)),
        ("1 / 3", Fraction(1, 3)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("(" * 40 + "7" + ")" * 40, Fraction(7)),
        ("-" * 99 + "7", Fraction(-7)),
        ("9" * 49 + "*" + "9" * 50, Fraction((10**49 - 1) * (10**50 - 1))),
    ],
)
def test_value_of_an_expression_is_exact(text: str, expected: Fraction) -> None:
    assert evaluate(text) == expected


def test_thousands_of_digits_are_compared_without_a_limit() -> None:
    digits = "9" * 5000
    assert number_accuracy([digits], [[f"{digits}.0"]], []) == {"number_accuracy": 1.0}
    assert equation_consistency([f"1 = {digits}"], [["1"]], []) == {"equation_consistency": 0.0}


# --- properties ---


@untimed
@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_number_is_found_however_it_is_written(number: Decimal) -> None:
    sign = "-" if number < 0 else ""
    for text in (f"{number}", f"so {number}.", f"{number:,}", f"{sign}${abs(number):,}", f"(1 + 2) = {number}00\n"):
        assert final_number(text) == number


@untimed
@given(st.text("0123456789.+-*/() ", max_size=110))
def test_evaluator_never_crashes_and_agrees_with_exact_arithmetic(text: str) -> None:
    value = evaluate(text)
    if value is not None:
        assert evaluate(f"({text.strip()})") in (value, None)


@untimed
@given(st.integers(-999, 999), st.sampled_from("+-*/"), st.integers(1, 999))
def test_evaluator_equals_python_on_two_numbers(a: int, sign: str, b: int) -> None:
    exact = {"+": Fraction(a + b), "-": Fraction(a - b), "*": Fraction(a * b), "/": Fraction(a, b)}
    assert evaluate(f"{a} {sign} {b}") == exact[sign]
