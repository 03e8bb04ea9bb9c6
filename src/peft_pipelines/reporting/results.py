"""From the scores of cells and baselines to one frame, and from the frame to the table that people read."""

from typing import Any

import pandas as pd

from peft_pipelines.config import MethodSpec, ModelSpec, PscpSpec, TaskSpec, parse
from peft_pipelines.evaluation.metrics.baselines import majority_answer, random_scores
from peft_pipelines.evaluation.score import bounds, task_scores
from peft_pipelines.files.names import MAJORITY, RANDOM, arguments
from peft_pipelines.reporting.comparisons import like_majority
from peft_pipelines.reporting.table import COSTS, markdown
from peft_pipelines.reporting.warning_signs import marks_of, predicted_classes
from peft_pipelines.storage.splits import Splits

BASELINE = "baseline"
GUESSES = (MAJORITY, RANDOM)
"""The rows that no model answers for: they stand first."""
RECORD = ("cell", "run_id", "git_commit", "checkpoint")
"""Where a number's record lies."""
TEXT = ("model", "task", "method", "seed", "status", "reason", "metric", "family", "memory_kind", "marks", *RECORD)
NUMBERS = (
    "primary_low",
    "primary_high",
    "n",
    "base_tflop",
    "leaked",
    "predicted_classes",
    "invalid_rate",
    "truncated_share",
    *COSTS,
)
FIRST = ("model", "task", "method", "seed", "status", "reason", "metric", "primary", "family")


def majority(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores of always giving the most frequent answer of the training rows."""
    answer = majority_answer([row["references"] for row in prompts["train"].to_pylist()])
    predictions = [{**row, "prediction": answer} for row in prompts["test"].to_pylist()]
    return {"answer": answer, **task_scores(predictions, task), **bounds(predictions, task)}


def guess(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores to expect of drawing labels; for free text only the metric's name, since there is nothing to draw."""
    rows = prompts["test"].to_pylist()

    def score(answers: list[str]) -> dict[str, float]:
        given = [{**row, "prediction": answer} for row, answer in zip(rows, answers, strict=True)]
        return {name: value for name, value in task_scores(given, task).items() if name != "metric"}

    return {"metric": task.primary, **random_scores(score, len(rows), task.label_words)}


def tabulate(
    differences: pd.DataFrame, data: list[dict[str, Any]] | None, **parts: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a cell, unrounded, as a frame for Parquet and the same for CSV.

    Models stand in the order of the grid; in each the majority and the random answers, the other baselines, then the
    methods in the order of the grid. A cell without metrics is a row whose numbers are missing and whose ``status`` is
    not "done". ``marks`` holds the signs of warning_signs.py.

    Args:
        differences: what ``judge`` made of all comparisons.
        data: the data report's rows, or None where none was made.
        parts: ``rows.<name>``: what ``collect`` made of a method's cells, or of the baselines' answers;
            ``spec.<name>``: the method's row of the configuration.
    """
    specs = {name: parse(MethodSpec, f"method '{name}'", row) for name, row in arguments(parts, "spec").items()}
    families = dict.fromkeys(GUESSES, BASELINE) | {name: spec.family for name, spec in specs.items()}
    found, leaks = arguments(parts, "rows"), {row["task"]: row["test = train"] for row in data or []}
    metric = {row["task"]: row["metric"] for row in found[MAJORITY]}
    common = {(row["model"], row["task"]): row["primary"] for row in found[MAJORITY]}
    alike, models = like_majority(differences), list(dict.fromkeys(row["model"] for row in found[MAJORITY]))
    rows = [
        {
            "metric": metric[row["task"]],
            **row,
            "method": method,
            "family": families[method],
            "predicted_classes": predicted_classes(row),
            "leaked": leaks.get(row["task"]),
            "marks": "" if method in GUESSES else _marks(row, method, alike, common[row["model"], row["task"]]),
        }
        for method in sorted(found, key=lambda name: (name != MAJORITY, name != RANDOM, families[name] != BASELINE))
        for row in found[method]
    ]
    table = frame(sorted(rows, key=lambda row: models.index(row["model"])))
    return table, table


def _marks(row: dict[str, Any], method: str, alike: set[tuple[str, str, str]], common: float) -> str:
    """A score that is no better than the majority answer's needs no test to say so."""
    below = row.get("primary") is not None and row["primary"] <= common
    return marks_of(row, below or (row["model"], row["task"], method) in alike)


def tell(results: pd.DataFrame, pscp: PscpSpec, **parts: Any) -> str:
    """The result table as Markdown; ``model.<name>`` are the rows of the models in it, for their notes."""
    specs = {name: parse(ModelSpec, f"model '{name}'", row) for name, row in arguments(parts, "model").items()}
    return markdown(results, {name: spec.notes for name, spec in specs.items()}, pscp.model_dump())


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame whose columns are text or 64-bit floats, so that Parquet gives back what it got.

    The columns that the table and the plots read are there in any case. What is neither, such as a list, has its place
    in the cell's record, not here.
    """
    plain = [{name: value for name, value in row.items() if not isinstance(value, dict | list)} for row in rows]
    table = pd.DataFrame(plain)
    table = table.reindex(columns=list(dict.fromkeys([*FIRST, *NUMBERS, *TEXT, *table.columns])))
    return table.astype({name: "float64" if _numeric(table[name]) else "string" for name in table.columns})


def _numeric(column: "pd.Series[Any]") -> bool:
    values = column.dropna()
    return column.name not in TEXT and all(isinstance(value, int | float) for value in values)
