import pytest

from peft_pipelines.reporting.warning_signs import marks_of


@pytest.mark.parametrize(("rate", "marks"), [(0.0, ""), (0.0499, ""), (0.05, "…"), (1.0, "…"), (None, "")])
def test_from_one_answer_in_twenty_cut_off_a_score_has_its_sign(rate: float | None, marks: str) -> None:
    assert marks_of({"primary": 0.5, "cut_off_rate": rate}, like_majority=False) == marks
    assert marks_of({"primary": 0.5}, like_majority=False) == ""
