"""Whether a task's metrics can read its right answers: a row does not say whether these are numbers or equations."""

from typing import Any, Final

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.spec import shown
from peft_pipelines.evaluation.metrics.metric import Kind, Metric, Resampling
from peft_pipelines.evaluation.metrics.registry import METRICS
from peft_pipelines.evaluation.score import right_answers
from peft_pipelines.storage.splits import Splits

READ: Final = {Kind.NUMBERS, Kind.SOLUTIONS, Kind.EQUATIONS}
"""Kinds of right answers that are read as more than text."""


def check_metrics(task: TaskSpec, adapted: Splits) -> None:
    """Raise ConfigError for a metric that cannot read the right answers of a split, or that calls one of them wrong."""
    for name in task.metrics:
        metric = METRICS[name]
        for split in ("test", "validation"):
            if metric.primary and set(metric.kinds) <= READ and split in adapted:
                _check(task, metric, split, adapted[split].to_pylist())


def _check(task: TaskSpec, metric: Metric, split: str, rows: list[dict[str, Any]]) -> None:
    references, right = right_answers(rows), [row["references"][0] for row in rows]
    where = f"task '{task.name}', metrics: '{metric.name}' is for {' or '.join(metric.tasks)}, but in split '{split}'"
    try:
        metric.function(right, references, [])
        wrong = [text for text, item in zip(right, references, strict=True) if _is_wrong(metric, text, item)]
    except ValueError as error:
        raise ConfigError(f"{where} {error}") from None
    if wrong:
        raise ConfigError(f"{where} it reads none in the right answer {shown(wrong[0])}")


def _is_wrong(metric: Metric, text: str, item: list[str]) -> bool:
    return metric.resampling is Resampling.SHARE and metric.function([text], [item], [])[metric.name] < 1
