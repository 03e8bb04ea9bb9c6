import pytest

from peft_pipelines.evaluation.metrics.normalize import check, normalise
from peft_pipelines.evaluation.metrics.registry import score


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"),
        ("yes\n", "yes"),
        (" \t yes\r\n\n", "yes"),
        ("\u00a0yes\u2003", "yes"),
        ("Yes", "Yes"),
        ("not  equivalent", "not  equivalent"),
        ("def f():\n    return X\n", "def f():\n    return X"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_only_white_space_around_an_answer_is_stripped(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_case_is_folded_only_when_told() -> None:
    assert normalise(" Straße\n", ignore_case=True) == normalise("STRASSE", ignore_case=True)
    assert normalise("Yes") != normalise("yes")


@pytest.mark.parametrize(
    ("predictions", "references", "labels", "message"),
    [
        ([], [], [], "no predictions: nothing to score"),
        (["a"], [], [], "1 predictions do not fit 0 items of references"),
        (["a"], [["a"], ["b"]], [], "1 predictions do not fit 2 items of references"),
        (["a", "b"], [["a"], []], [], "item 1: a list of one or more right answers is needed, got []"),
        (["a"], ["a"], [], "item 0: a list of one or more right answers is needed, got 'a'"),
        (["a"], [["-1"]], ["no", "yes"], "item 0: right answer '-1' is not a label of the task; labels: no, yes"),
        (["a"], [["x\ny"]], ["no"], r"item 0: right answer 'x\ny' is not a label of the task; labels: no"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(
    predictions: list[str], references: list[list[str]], labels: list[str], message: str
) -> None:
    for refuse in (lambda: check(predictions, references, labels), lambda: score([], predictions, references, labels)):
        with pytest.raises(ValueError) as error:
            refuse()
        assert str(error.value) == message
