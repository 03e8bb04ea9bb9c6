"""The last step of a cell: numbers from the predictions and the records."""

from typing import Any

from peft_pipelines.config import ExecutionSpec, PscpSpec, TaskSpec
from peft_pipelines.evaluation.score import bounds, executed, penalised, spent, task_scores, truncated_share
from peft_pipelines.storage.checkpoint import Checkpoint


def score(
    predictions: list[dict[str, Any]],
    generation: dict[str, Any],
    checkpoint: Checkpoint,
    task: TaskSpec,
    pscp: PscpSpec,
    execution: ExecutionSpec,
) -> dict[str, Any]:
    """The cell's numbers: what the task's metrics say, what it cost, and PSCP from both."""
    scores = task_scores(predictions, task) | bounds(predictions, task)
    record = checkpoint.record
    costs = spent(record, generation, checkpoint.bytes)
    return {
        **scores,
        **executed(predictions, task, execution),
        "truncated_rows": generation["truncated"] + sum(record["truncated"].values()),
        "truncated_share": truncated_share(record, generation["truncated"], len(predictions)),
        **costs,
        "steps": record["steps"],
        "learning_rate": record["learning_rate"],
        "lr_trials": len(record["lr_search"]),
        "lr_at_edge": record["lr_at_edge"],
        "lr_search_seconds": record["lr_search_seconds"],
        "lr_search_cpu_seconds": record["lr_search_cpu_seconds"],
        **penalised(scores, costs, pscp),
        "checkpoint": checkpoint.folder.parent.name,
    }
