import pytest

from peft_pipelines.metrics import majority_answer


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ([["yes"]], "yes"),
        ([["no"], ["yes"], ["yes"]], "yes"),
        ([["yes"], ["no"]], "no"),
        ([["b"], ["a"], ["c"], ["b"], ["a"]], "a"),
        ([["yes\n"], [" yes"], ["no"]], "yes"),
        ([["x", "y"], ["y", "z"]], "y"),
        ([["x", "x", "x"], ["y"], ["y"]], "y"),
    ],
    ids=["one", "most", "tie", "tie of three", "white space", "several right answers", "repeats in one item"],
)
def test_majority_answer(references: list[list[str]], expected: str) -> None:
    assert majority_answer(references) == expected


def test_no_references_have_no_majority() -> None:
    with pytest.raises(ValueError, match=r"^no references: there is no majority answer$"):
        majority_answer([])
