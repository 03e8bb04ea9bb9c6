"""The numbers that stand for the project's tasks, against what their fields quote."""

import random
from typing import Any

import base_rows
import pytest
from made import labelled
from scipy import stats

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.score import answers_of, bounds, picks, random_task_scores, task_scores

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


def continued() -> tuple[TaskSpec, list[dict[str, Any]]]:
    """Answers that are all written wrong, and of whose continuations the right one is likeliest in one or the other."""
    task = labelled(metrics=["acc", "acc_norm", "accuracy"], continuations={"texts": ["no", "certainly"]})
    row = {"prompt": "-", "choices": ["no", "certainly"], "references": ["yes"], "prediction": "no", "stopped": True}
    return task, [{**row, "choice_logprobs": logprobs} for logprobs in ([-9.0, -8.0], [-3.0, -8.0], [-1.0, -8.0])]


def test_continuations_are_scored_beside_what_was_written() -> None:
    task, rows = continued()
    scores = task_scores(rows, task)
    assert (scores["acc"], scores["acc_norm"], scores["accuracy"]) == pytest.approx((1 / 3, 2 / 3, 0))
    assert (scores["metric"], scores["primary"], scores["n"]) == ("acc", scores["acc"], 3)
    assert bounds(rows, task) == {
        "primary_low": pytest.approx(0.0084, abs=1e-4),
        "primary_high": pytest.approx(0.9057, abs=1e-4),
    }
    assert picks(rows, task) == {"acc": ["yes", "no", "no"], "acc_norm": ["yes", "yes", "no"]}
    assert answers_of(rows, task, "accuracy") == ["no"] * 3


def test_the_majority_answer_is_its_own_pick() -> None:
    task, rows = continued()
    guessed = [{"prompt": "-", "references": row["references"], "prediction": "yes"} for row in rows]
    assert task_scores(guessed, task)["acc"] == 1
    assert random_task_scores(guessed, task, task.metrics)["acc_norm"] == 0.5


def test_answers_without_continuations_are_not_scored_by_them() -> None:
    task, rows = continued()
    without = [{name: value for name, value in row.items() if name != "choice_logprobs"} for row in rows]
    with pytest.raises(ConfigError, match=r"task 'moods', metrics: 'acc' needs likelihoods of continuations"):
        task_scores(without, task)
