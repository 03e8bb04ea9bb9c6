import pandas as pd

from peft_pipelines.reporting.other_metrics import under


def test_a_score_below_the_majoritys_has_its_sign_without_a_test() -> None:
    row = {"model": "m", "task": "t", "metric": "exact_match", "primary": 0.9, "primary_low": 0.8, "primary_high": 1.0}
    found = {"majority": (0.5, ""), "worse": (0.4, "?"), "better": (0.6, "≈")}
    table = pd.DataFrame(
        [
            {**row, "method": name, "bleu": bleu, "marks": marks, "invalid_rate": 0.1 if "?" in marks else 0.0}
            for name, (bleu, marks) in found.items()
        ]
    )
    changed = under(table, "bleu", ["t"], {}, set())
    assert list(changed["marks"]) == ["", "?≈", ""]
    assert list(changed["primary"]) == [0.5, 0.4, 0.6] and changed["primary_low"].isna().all()


def test_signs_of_what_was_written_stand_beside_scores_of_it_alone() -> None:
    row = {"model": "m", "task": "t", "primary": 0.9, "primary_low": 0.8, "primary_high": 1.0, "cut_off_rate": 1.0}
    scores = {"accuracy": 0.9, "acc": 0.8}
    for own, other, before, after in (("accuracy", "acc", "…†", "†"), ("acc", "accuracy", "†", "…†")):
        table = pd.DataFrame([{**row, **scores, "method": "a", "metric": own, "marks": before}])
        assert list(under(table, other, ["t"], {}, set())["marks"]) == [after]
