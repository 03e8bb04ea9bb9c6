"""What the registry says of a metric: how its values are written, which is better, which tasks may name it."""

from pathlib import Path

import pytest
import yaml
from made import free, labelled

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.metrics.metric import Quantity
from peft_pipelines.evaluation.metrics.registry import METRICS, quantity
from peft_pipelines.evaluation.metrics.unit import ANSWERS, PERCENT

FILES = sorted((Path(__file__).parents[3] / "conf/base/parameters/tasks").glob("*.yml"))
ROWS = {name: row for path in FILES for name, row in yaml.safe_load(path.read_text(encoding="utf-8"))["tasks"].items()}
THREE = {0: "no", 1: "yes", 2: "maybe"}


def refusal(task: TaskSpec) -> str:
    """The error of a task's row; the row is not accepted."""
    with pytest.raises(ConfigError) as caught:
        task.check((), METRICS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_the_project_names_metrics_that_fit_it(name: str) -> None:
    task = parse(TaskSpec, f"task '{name}'", {**ROWS[name], "name": name, "preprocess": None})
    task.check((), METRICS)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if not metric.primary])
def test_a_diagnostic_comes_after_another_metric_or_not_at_all(name: str) -> None:
    labels = not METRICS[name].misfit(["no", "yes"], False, False)
    task = labelled() if labels else free()
    task.model_copy(update={"metrics": (*task.metrics, name)}).check((), METRICS)
    first = refusal(task.model_copy(update={"metrics": (name, *task.metrics)}))
    reason, _, allowed = first.partition(" Allowed: ")
    assert reason == f"task '{task.name}', metrics: '{name}' is a diagnostic and cannot come first."
    assert task.primary in allowed.split(", ") and name not in allowed.split(", ")


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (free(metric="macro_f1"), "'macro_f1' is for labels, this task is of free text. Allowed: accuracy, number"),
        (
            labelled(metrics=["accuracy", "bleu"]),
            "'bleu' is for free text, this task is of 2 labels. Allowed: accuracy",
        ),
        (labelled(metrics=["f1a"], labels=THREE), "'f1a' is for two labels, this task is of 3 labels. Allowed: "),
        (labelled(metrics=["exact_question"]), "'exact_question' needs the field question, a template such as '{qu"),
        (labelled(metrics=["acc"]), "'acc' needs the field continuations, such as {texts: ['no', 'yes']}. Allowed: "),
        (labelled(continuations={}), "none reads the row's continuations. Allowed: acc, acc_norm"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused_with_those_that_do(task: TaskSpec, reason: str) -> None:
    assert refusal(task).startswith(f"task '{task.name}', metrics: {reason}")


def test_a_composed_right_answer_is_no_plain_number() -> None:
    free(metric="rmse").check((), METRICS)
    composed = free(metric="rmse").model_copy(update={"target": "{steps} #### {answer}"})
    assert refusal(composed).startswith("task 'sums', metrics: 'rmse' is for numbers, this task is of composed text. ")


def test_a_number_is_written_in_its_unit() -> None:
    assert [quantity(name).unit.text(0.5) for name in ("accuracy", "pearson", "rmse", "n")] == [
        "50.0",
        "50.0",
        "0.500",
        "0",
    ]
    assert (PERCENT.text(0.125, 0), ANSWERS.text(0.125, 0), ANSWERS.text(1, signed=True)) == ("12", "0.125", "+1.000")


def test_the_better_of_two_values_depends_on_the_direction() -> None:
    assert METRICS["accuracy"].better(0.5, 0.4) and not METRICS["rmse"].better(0.5, 0.4)
    assert not METRICS["rmse"].better(0.5, 0.5)
    assert (METRICS["rmse"].best([3, 1, 2]), Quantity(name="any").best([3, 1, 2])) == (1, 3)


def test_costs_are_taken_off_bounded_scores_alone() -> None:
    assert [name for name in ("macro_f1", "pearson", "rmse", "invalid_rate") if METRICS[name].in_points] == [
        "macro_f1",
        "pearson",
    ]
