"""The numbers that stand for the project's tasks, against what their fields quote."""

import random

import base_rows
import pytest
from scipy import stats

from peft_pipelines.config import TaskSpec
from peft_pipelines.evaluation.score import bounds, task_scores

ACCURACY = (
    *("sst2", "mnli", "qnli", "rte", "wsc", "cb", "boolq", "copa", "wic"),
    *("mmlu", "piqa", "siqa", "obqa", "hellaswag", "winogrande", "mathqa"),
)
OFFICIAL = {
    **{name: ("accuracy",) for name in ACCURACY},
    "cola": ("mcc",),
    "mrpc": ("binary_f1", "accuracy"),
    "qqp": ("binary_f1", "accuracy"),
    "cb": ("accuracy", "macro_f1"),
    "multirc": ("f1a", "f1m", "exact_question"),
    "record": ("token_f1", "exact_answer"),
    "stsb": ("pearson", "spearman"),
    "gsm8k": ("strict_match", "flexible_extract", "number_accuracy"),
    "svamp": ("number_accuracy",),
    **{name: ("codebleu", "bleu") for name in ("conala", "codealpaca", "apps")},
}


@pytest.mark.parametrize("name", sorted(base_rows.TASKS))
def test_the_fields_metrics_stand_first_in_each_row(name: str) -> None:
    metrics = base_rows.task_of(name).metrics
    assert metrics[: len(OFFICIAL[name])] == OFFICIAL[name]


@pytest.mark.parametrize("name", [name for name in base_rows.TASKS if base_rows.TASKS[name].get("labels")])
def test_macro_f1_stands_beside_the_fields_metric(name: str) -> None:
    assert {"macro_f1", "accuracy"} <= set(base_rows.task_of(name).metrics)


def similarities() -> tuple[TaskSpec, list[dict[str, object]], list[float]]:
    """Answers with one decimal to pairs whose similarity is a 32-bit number, as the hub has them."""
    chance = random.Random(0)
    gold = [chance.choice([3.799999952316284, 0.25, 4.75, 1.3329999446868896, 2.0, 4.25]) for _ in range(40)]
    answers = [f"{min(5.0, max(0.0, value + chance.uniform(-1, 1))):.1f}" for value in gold]
    rows = [
        {"prompt": "-", "references": [f"{value:.1f}"], "gold": repr(value), "prediction": answer}
        for value, answer in zip(gold, answers, strict=True)
    ]
    return base_rows.task_of("stsb"), rows, gold


def test_correlations_are_those_with_the_unrounded_gold() -> None:
    task, rows, gold = similarities()
    answers = [float(str(row["prediction"])) for row in rows]
    scores = task_scores(rows, task)
    assert scores["pearson"] == scores["primary"] == pytest.approx(stats.pearsonr(gold, answers).statistic, abs=1e-12)
    assert scores["spearman"] == pytest.approx(stats.spearmanr(gold, answers).statistic, abs=1e-12)
    rounded = [float(f"{value:.1f}") for value in gold]
    assert abs(scores["pearson"] - stats.pearsonr(rounded, answers).statistic) > 1e-5


def test_the_interval_is_that_of_the_unrounded_gold() -> None:
    task, rows, _ = similarities()
    learnt = [{name: value for name, value in row.items() if name != "gold"} for row in rows]
    assert bounds(rows, task) != bounds(learnt, task)
    assert bounds(rows, task)["primary_low"] < task_scores(rows, task)["pearson"] < bounds(rows, task)["primary_high"]


def test_answers_that_were_cut_off_are_counted() -> None:
    task, rows, _ = similarities()
    assert "cut_off_rate" not in task_scores(rows, task)
    stopped = [{**row, "stopped": place % 4 > 0} for place, row in enumerate(rows)]
    assert task_scores(stopped, task)["cut_off_rate"] == 0.25


def test_rows_of_a_group_are_resampled_together_and_groups_of_one_apart() -> None:
    task = base_rows.task_of("svamp")
    right = ["(1 + 1) = 2"] * 20 + ["(1 + 2) = 3"] * 20
    rows = [{"references": ["(1 + 1) = 2"], "prediction": answer, "group": str(n)} for n, answer in enumerate(right)]
    alone = bounds(rows, task)
    assert alone == {"primary_low": pytest.approx(0.338, abs=1e-3), "primary_high": pytest.approx(0.662, abs=1e-3)}
    pairs = [{**row, "group": str(n // 10)} for n, row in enumerate(rows)]
    together = bounds(pairs, task)
    assert together["primary_low"] < alone["primary_low"] and together["primary_high"] > alone["primary_high"]
