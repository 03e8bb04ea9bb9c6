"""From the scores of cells and baselines to one frame, and from the frame to the table that people read."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from peft_pipelines.config import MethodSpec, ModelSpec, PscpSpec, TaskSpec, parse
from peft_pipelines.evaluation.metrics.baselines import majority_answer
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.score import bounds, random_task_scores, task_scores
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.markdown import bullets
from peft_pipelines.files.names import MAJORITY, RANDOM, arguments
from peft_pipelines.files.status import Status
from peft_pipelines.reporting.collect import given
from peft_pipelines.reporting.comparisons import intervals, like_majority, no_differences
from peft_pipelines.reporting.scale import GUESSES
from peft_pipelines.reporting.table import COSTS, MISSING, failed_lines, markdown
from peft_pipelines.reporting.warning_signs import marks_of, predicted_classes
from peft_pipelines.storage.splits import Splits

BASELINE = "baseline"
RECORD = ("cell", "run_id", "git_commit", "checkpoint")
"""Columns that lead to a number's record."""
MEMORY_KINDS = ("memory_kind", "generate_memory_kind")
TEXT = ("model", "task", "method", "seed", "status", "reason", "metric", "family", *MEMORY_KINDS, "marks", *RECORD)
NUMBERS = (
    "primary_low",
    "primary_high",
    "mean_low",
    "mean_high",
    "n",
    "base_tflop",
    "leaked",
    "predicted_classes",
    "invalid_rate",
    "cut_off_rate",
    "truncated_share",
    *COSTS,
)
NO_ROW = {"status": Status.FAILED, "reason": "its row could not be made, see the parts of the report that failed"}
FIRST = ("model", "task", "method", "seed", "status", "reason", "metric", "primary", "family")


def majority(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores of always giving the most frequent answer of the training examples."""
    answer = majority_answer([row["references"] for row in prompts["train"].to_pylist()])
    predictions = [{**row, "prediction": answer} for row in prompts["test"].to_pylist()]
    return {"answer": answer, **task_scores(predictions, task), **bounds(predictions, task)}


def guess(prompts: Splits, task: TaskSpec) -> dict[str, Any]:
    """The scores to expect of drawing labels; for free text only the metric's name, since there is nothing to draw."""
    rows = prompts["test"].to_pylist()
    found = random_task_scores(rows, task, task.metrics)
    return {"metric": task.primary, **({"primary": found[task.primary]} if found else {}), **found}


def tabulate(
    differences: pd.DataFrame | None,
    data: list[dict[str, Any]] | None,
    comparisons: list[dict[str, Any]] | None = None,
    **parts: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row a cell, unrounded, as a frame for Parquet and the same for CSV.

    Models stand in the order of the grid; in each the majority and the random answers, the other baselines, then the
    methods in the order of the grid. A cell without metrics is a row whose numbers are missing and whose ``status`` is
    not "done". ``marks`` holds the signs of warning_signs.py. ``primary_low`` and ``primary_high`` are the interval of
    the cell's own score, ``mean_low`` and ``mean_high`` that of the mean over its method's seeds on the task, the same
    in each of its rows. Each row is an attempt of its own: one that cannot be made stands as failed.

    Args:
        differences: the pairs with adjusted p-values, as ``adjust_p_values`` makes them, or None: then no score is like
            the majority's but by size.
        data: the data report's rows, or None where none was made.
        comparisons: as ``compare`` makes them, or None: then means over seeds have no interval.
        parts: ``rows.<name>``: what ``collect`` made of a method's cells, or of the baselines' answers, or None: then
            the frame is without them; ``spec.<name>``: the method's row of the configuration.
    """
    specs = {name: parse(MethodSpec, f"method '{name}'", row) for name, row in arguments(parts, "spec").items()}
    families = dict.fromkeys(GUESSES, BASELINE) | {name: spec.family for name, spec in specs.items()}
    found, leaks = given(parts, "rows"), {row["task"]: row["test = train"] for row in data or []}
    beside = _Beside.of(found, leaks, no_differences() if differences is None else differences)
    rows: list[dict[str, Any]] = []
    for method in sorted(found, key=lambda name: (name != MAJORITY, name != RANDOM, families[name] != BASELINE)):
        for row in found[method]:
            whole = beside.failed(row, method, families[method])
            with attempt(" · ".join([method, *(row[axis] for axis in ("model", "task", "seed"))])):
                whole = beside.row(row, method, families[method])
            rows.append(whole)
    table = with_intervals(frame(sorted(rows, key=lambda row: beside.models.index(row["model"]))), comparisons or [])
    return table, table


def with_intervals(results: pd.DataFrame, comparisons: list[dict[str, Any]]) -> pd.DataFrame:
    """The frame with the intervals of means over seeds; without comparisons each score has its own."""
    found = intervals(comparisons)
    keys = ["model", "task", "method"]
    alone = results.groupby(keys, sort=False)["primary"].transform("count") <= 1
    names = list(results[keys].itertuples(index=False, name=None))
    ends = {end: [found.get(name, {}).get(end) for name in names] for end in ("low", "high")}
    means = pd.DataFrame(ends, index=results.index, dtype="float64")
    return results.assign(**{f"mean_{end}": means[end].fillna(results[f"primary_{end}"].where(alone)) for end in ends})


@dataclass(frozen=True)
class _Beside:
    """Values beside a cell's numbers in its row.

    ``models`` in the order of the grid; by task its ``metric`` and how many test inputs leaked; by model and task the
    majority answer's score in ``common``; ``alike``: see ``like_majority``.
    """

    models: list[str]
    metric: dict[str, str]
    leaks: dict[str, int]
    common: dict[tuple[str, str], float | None]
    alike: set[tuple[str, str, str]]

    @classmethod
    def of(cls, found: dict[str, list[dict[str, Any]]], leaks: dict[str, int], differences: pd.DataFrame) -> "_Beside":
        every = [row for rows in found.values() for row in rows]
        metric = {row["task"]: row["metric"] for row in reversed(every) if row.get("metric")}
        common = {(row["model"], row["task"]): row.get("primary") for row in found.get(MAJORITY, [])}
        return cls(
            list(dict.fromkeys(row["model"] for row in every)), metric, leaks, common, like_majority(differences)
        )

    def row(self, row: dict[str, Any], method: str, family: str) -> dict[str, Any]:
        return {
            "metric": self.metric.get(row["task"], MISSING),
            **row,
            "method": method,
            "family": family,
            "predicted_classes": predicted_classes(row),
            "leaked": self.leaks.get(row["task"]),
            "marks": "" if method in GUESSES else self._marks(row, method),
        }

    def failed(self, row: dict[str, Any], method: str, family: str) -> dict[str, Any]:
        """The row without its numbers."""
        kept = {axis: row[axis] for axis in ("model", "task", "seed")}
        metric = self.metric.get(row["task"], MISSING)
        return {"metric": metric, **kept, "method": method, "family": family, **NO_ROW}

    def _marks(self, row: dict[str, Any], method: str) -> str:
        """A score that is no better than the majority answer's needs no test to say so."""
        score, common = row.get("primary"), self.common.get((row["model"], row["task"]))
        metric = quantity(self.metric.get(row["task"], MISSING))
        worse = score is not None and common is not None and not metric.better(score, common)
        return marks_of(row, worse or (row["model"], row["task"], method) in self.alike)


def write_table(
    results: pd.DataFrame,
    pscp: PscpSpec,
    failed_parts: list[dict[str, Any]] | None = None,
    summary: list[dict[str, Any]] | None = None,
    **parts: Any,
) -> str:
    """The result table as Markdown, and the parts of the report that failed.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        pscp: the run's constants.
        failed_parts: what the runner has written down.
        summary: each model's sentences, as ``summarise`` makes them.
        parts: ``model.<name>``: the rows of the models, for their notes.
    """
    specs = {name: parse(ModelSpec, f"model '{name}'", row) for name, row in arguments(parts, "model").items()}
    sentences = {entry["model"]: entry["sentences"] for entry in summary or []}
    table = markdown(results, sentences, {name: spec.notes for name, spec in specs.items()}, pscp.model_dump())
    failed = failed_lines(failed_parts)
    return "\n".join([table, *(["### Parts of the report that failed", "", bullets(failed), ""] if failed else [])])


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
