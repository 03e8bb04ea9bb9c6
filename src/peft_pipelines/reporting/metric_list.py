"""The table of all metrics, for the screen and for the documentation."""

from collections.abc import Iterable

from peft_pipelines.evaluation.metrics.metric import Metric
from peft_pipelines.files.escape import code
from peft_pipelines.files.markdown import render

YES, NO = "yes", "no"


def metric_table(metrics: Iterable[Metric]) -> str:
    """A Markdown table with a line a metric, by its row in the registry."""
    rows = list(metrics)
    return render(
        {
            "metric": [code(metric.name) for metric in rows],
            "tasks": [", ".join(metric.tasks) for metric in rows],
            "resampled as": [str(metric.resampling) for metric in rows],
            "unit": [f"{metric.unit.name}, {metric.unit.range}" for metric in rows],
            "better": ["higher" if metric.higher_is_better else "lower" for metric in rows],
            "primary": [YES if metric.primary else NO for metric in rows],
        },
        words=True,
    )
