"""From the scores of cells and baselines to one frame, and from the frame to the table that people read."""

from typing import Any

import pandas as pd

from peft_pipelines.io import Splits
from peft_pipelines.metrics.baselines import majority_answer
from peft_pipelines.pipelines.cells.score import task_scores
from peft_pipelines.pipelines.report.collect import part
from peft_pipelines.pipelines.report.table import COSTS, markdown
from peft_pipelines.specs import MAJORITY, MethodSpec, ModelSpec, TaskSpec, parse

BASELINE = "baseline"
TEXT = ("model", "task", "method", "seed", "status", "reason", "metric", "family", "memory_kind")
NUMBERS = ("primary", "n", "predicted_classes", "invalid_rate", "truncated_share", *COSTS)
FIRST = ("model", "task", "method", "seed", "status", "reason", "metric", "primary", "family")


def majority(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores of always giving the most frequent answer of the training rows."""
    answer = majority_answer([row["references"] for row in prompts["train"].to_pylist()])
    predictions = [{**row, "prediction": answer} for row in prompts["test"].to_pylist()]
    return {"answer": answer, **task_scores(predictions, task)}


def tabulate(**parts: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a cell, unrounded, as a frame for Parquet and the same for CSV.

    Models stand in the order of the grid; in each the majority rows, the other baselines, then the methods in the
    order of the grid. A cell without metrics is a row whose numbers are missing and whose ``status`` is not "done".

    Args:
        parts: ``rows.<name>``: what ``collect`` made of a method's cells, or of the majority answers;
            ``spec.<name>``: the method's row of the configuration.
    """
    specs = {name: parse(MethodSpec, f"method '{name}'", row) for name, row in part(parts, "spec").items()}
    families = {MAJORITY: BASELINE} | {name: spec.family for name, spec in specs.items()}
    found = part(parts, "rows")
    metric = {row["task"]: row["metric"] for row in found[MAJORITY]}
    models = list(dict.fromkeys(row["model"] for row in found[MAJORITY]))
    rows = [
        {
            "metric": metric[row["task"]],
            **row,
            "method": method,
            "family": families[method],
            "predicted_classes": predicted_classes(row),
        }
        for method in sorted(found, key=lambda name: (name != MAJORITY, families[name] != BASELINE))
        for row in found[method]
    ]
    table = frame(sorted(rows, key=lambda row: models.index(row["model"])))
    return table, table


def tell(results: pd.DataFrame, **models: dict[str, Any]) -> str:
    """The result table as Markdown; ``models`` are the rows of the models in it, for their notes."""
    specs = {name: parse(ModelSpec, f"model '{name}'", row) for name, row in models.items()}
    return markdown(results, {name: spec.notes for name, spec in specs.items()})


def predicted_classes(scores: dict[str, Any]) -> int | None:
    """How many of a task's labels were answered at least once; None for free text and for a cell without metrics.

    >>> predicted_classes({"support.no": 2.0, "support.yes": 1.0, "confusion.no.no": 0.0, "confusion.no.yes": 2.0,
    ...                    "confusion.yes.no": 0.0, "confusion.yes.yes": 1.0})
    1
    """
    words = [key.removeprefix("support.") for key in scores if key.startswith("support.")]
    answered = [any(scores[f"confusion.{gold}.{word}"] for gold in words) for word in words]
    return sum(answered) if words else None


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame whose columns are text or 64-bit floats, so that Parquet gives back what it got.

    The columns that the table and the plots read are there in any case.
    """
    table = pd.DataFrame(rows)
    table = table.reindex(columns=list(dict.fromkeys([*FIRST, *NUMBERS, *TEXT, *table.columns])))
    return table.astype({name: "float64" if _numeric(table[name]) else "string" for name in table.columns})


def _numeric(column: "pd.Series[Any]") -> bool:
    values = column.dropna()
    return column.name not in TEXT and all(isinstance(value, int | float) for value in values)
