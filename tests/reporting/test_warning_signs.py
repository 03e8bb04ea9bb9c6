import pytest

from peft_pipelines.reporting.warning_signs import marks_of


@pytest.mark.parametrize(("rate", "marks"), [(0.0, ""), (0.0499, ""), (0.05, "…"), (1.0, "…"), (None, "")])
def test_from_one_answer_in_twenty_cut_off_a_score_has_its_sign(rate: float | None, marks: str) -> None:
    assert marks_of({"primary": 0.5, "cut_off_rate": rate}, like_majority=False) == marks
    assert marks_of({"primary": 0.5}, like_majority=False) == ""


def test_a_score_of_continuations_has_no_sign_of_what_was_written() -> None:
    row = {"primary": 0.5, "cut_off_rate": 1.0, "invalid_rate": 1.0, "truncated_share": 1.0}
    row |= {"support.no": 1.0, "confusion.no.no": 1.0}
    assert marks_of({"metric": "accuracy", **row}, like_majority=True) == "!?…≈†"
    assert marks_of({"metric": "acc", **row}, like_majority=True) == "≈†"
