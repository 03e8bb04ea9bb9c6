"""What counts as a right output of a test case."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peft_pipelines.evaluation.metrics.pass_rate import Cases, pass_rate, same_text, same_value


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("3\n", "3", True),
        ("1 2\n3", "1\n2 3\n", True),
        ("", "", True),
        ("", "0", False),
        ("1 2", "1", False),
        ("2 1", "1 2", False),
        ("YES", "Yes", False),
        ("0.1", "0.1000001", True),
        ("0.1", "0.11", False),
        ("3", "3.0", True),
        ("3.00001", "3", True),
        ("1e3", "1000", True),
        ("-.5", "-0.50", True),
        ("1000000", "1000001", False),
        ("007", "7", False),
        ("9" * 400 + ".0", "8" * 400 + ".0", False),
        ("nan", "0.0", False),
        ("inf", "1e999", False),
        ("1_0.0", "10.0", False),
        ("٣", "3.0", False),
    ],
)
def test_printed_outputs(given: str, wanted: str, same: bool) -> None:
    assert same_text(given, wanted) is same
    assert same_text(wanted, given) is same


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        (1, 1, True),
        (True, 1, True),
        ("1", 1, False),
        (None, 0, False),
        ([], None, False),
        (0.1 + 0.2, 0.3, True),
        (1, 1.0, True),
        (10**400, 1.0, False),
        (10**15, 10**15 + 1, False),
        ([1, [2.0, "x"]], [1, [2.0000001, "x"]], True),
        ([1, 2], [1, 2, 3], False),
        ({"a": [0.5]}, {"a": [0.5]}, True),
        ({"a": 1}, {"b": 1}, False),
        (float("nan"), 1.0, False),
    ],
)
def test_returned_values(given: object, wanted: object, same: bool) -> None:
    assert same_value(given, wanted) is same


def test_an_answer_alone_in_a_list_may_come_without_the_list_where_all_do() -> None:
    boxed = Cases.of('{"fn_name": "f", "inputs": [[1], [2]], "outputs": [[1], ["x"]]}')
    assert boxed.holds(0, "1") and boxed.holds(0, "[1]") and boxed.holds(1, '"x"')
    assert not boxed.holds(0, "2")
    plain = Cases.of('{"fn_name": "f", "inputs": [[1], [2]], "outputs": [[1], [1, 2]]}')
    assert plain.holds(0, "[1]") and not plain.holds(0, "1")


@pytest.mark.parametrize("output", ["", "x", "[" * 100_000, "1 2", '{"a"', "\x00", "9" * 5000])
def test_what_is_not_the_right_json_is_wrong(output: str) -> None:
    assert not Cases(([],), (1,), "f").holds(0, output)


def test_whole_numbers_of_any_length_are_compared_to_the_last_digit() -> None:
    long = Cases.of('{"fn_name": "f", "inputs": [[' + "7" * 5000 + ']], "outputs": [' + "8" * 5000 + "]}")
    assert long.inputs[0][0] % 10 == 7
    assert long.holds(0, "8" * 5000) and not long.holds(0, "8" * 4999 + "9")


def test_lines_given_as_lists_are_one_text() -> None:
    cases = Cases.of('{"inputs": [["2", "a b"]], "outputs": [["1", 2]]}')
    assert (cases.inputs, cases.outputs) == (("2\na b",), ("1\n2",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON with inputs and outputs"),
        ("[]", "not JSON with inputs and outputs"),
        ("null", "not JSON with inputs and outputs"),
        ('{"inputs": ["1"]}', "not JSON with inputs and outputs: KeyError"),
        ("[" * 100_000, "not JSON with inputs and outputs"),
        ('{"inputs": [], "outputs": []}', "at least one"),
        ('{"inputs": ["1"], "outputs": []}', "as many inputs as outputs"),
        ('{"inputs": "1", "outputs": "1"}', "as many inputs as outputs"),
        ('{"inputs": [1], "outputs": ["1"]}', "must be texts, got 1"),
        ('{"fn_name": "f", "inputs": [1], "outputs": [1]}', "a list of arguments"),
        ('{"fn_name": 3, "inputs": [[1]], "outputs": [1]}', "must name it"),
    ],
)
def test_cases_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cases.of(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_each_value_equals_itself_through_json(value: object) -> None:
    assert Cases(([],), (json.loads(json.dumps(value)),), "f").holds(0, json.dumps(value))


@given(st.text())
def test_each_text_equals_itself_with_other_white_space(text: str) -> None:
    assert same_text(text, "\n \n".join(text.split()) + "\n")


def test_pass_rate_counts_whole_items_and_weighs_each_item_alike() -> None:
    assert pass_rate([[True] * 9 + [False], [True], [False], [False, True]]) == {
        "pass_rate": 0.25,
        "cases_passed": (0.9 + 1 + 0 + 0.5) / 4,
        "pass_n": 4.0,
    }
    for nothing in ([], [[True], []]):
        with pytest.raises(ValueError, match=r"^no test cases: nothing to score$"):
            pass_rate(nothing)
