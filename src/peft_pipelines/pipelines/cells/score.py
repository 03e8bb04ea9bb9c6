"""The last step of a cell: numbers from the predictions and the records."""

from typing import Any

from peft_pipelines import metrics
from peft_pipelines.io import Checkpoint
from peft_pipelines.metrics.efficiency import pscp as pscp_of
from peft_pipelines.specs import PscpSpec, TaskSpec


def score(
    predictions: list[dict[str, Any]],
    generation: dict[str, Any],
    checkpoint: Checkpoint,
    task: TaskSpec,
    pscp: PscpSpec,
) -> dict[str, Any]:
    """The cell's numbers: what the task's metrics say, what it cost, and PSCP from both."""
    scores = task_scores(predictions, task)
    record = checkpoint.record
    memory = max(record["train_peak_memory_gb"], generation["generate_peak_memory_gb"])
    parameters, constants = record["trainable_parameters"], pscp.model_dump()
    performance = 100 * scores["primary"]
    relative = pscp_of(performance, parameters, record["tflop"] - record["base_tflop"], memory, **constants)
    absolute = pscp_of(performance, parameters, record["tflop"], memory, **constants)
    return {
        **scores,
        "truncated_rows": generation["truncated"] + sum(record["truncated"].values()),
        "truncated_share": truncated_share(record, generation["truncated"], len(predictions)),
        "trainable_parameters": parameters,
        "tflop": record["tflop"],
        "checkpoint_bytes": checkpoint.bytes,
        "peak_memory_gb": memory,
        "memory_kind": record["train_memory_kind"],
        "train_seconds": record["train_seconds"],
        "train_cpu_seconds": record["train_cpu_seconds"],
        "generate_seconds": generation["generate_seconds"],
        "generate_cpu_seconds": generation["generate_cpu_seconds"],
        "steps": record["steps"],
        "learning_rate": record["protocol"]["learning_rate"],
        **relative,
        "pscp_absolute": absolute["pscp"],
        "checkpoint": checkpoint.folder.parent.name,
    }


def task_scores(predictions: list[dict[str, Any]], task: TaskSpec) -> dict[str, Any]:
    """The task's metrics over predictions; ``primary`` and ``metric`` say which one stands for the task."""
    answers = [row["prediction"] for row in predictions]
    scores = metrics.score(task.metrics, answers, [row["references"] for row in predictions], task.label_words)
    return {"metric": task.primary, "primary": scores[task.primary], **scores}


def truncated_share(record: dict[str, Any], truncated: int, tests: int) -> float:
    """The largest share of rows that lost text, over the splits: ``truncated`` of the ``tests``, the rest by record."""
    shares = [record["truncated"][split] / rows for split, rows in record["rows"].items()]
    return float(max(truncated / tests, *shares))
