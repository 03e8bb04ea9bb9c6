"""Details of a cell: its rows, its losses in training, and its worst answers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.grid import MOST_ANSWERS
from peft_pipelines.config.method import draws_nothing
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.score import answers_of, cut_off, picks, right_answers, written
from peft_pipelines.files import names
from peft_pipelines.files.attempts import attempt
from peft_pipelines.reporting.cell_facts import confusion, facts
from peft_pipelines.storage.checkpoint import Checkpoint

LONGEST = 1_500
"""Letters shown of a prompt; the middle of a longer one is left out."""


def details(**parts: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """By cell ``model.task.seed`` of one method: what a reader may ask of it, and its answers.

    A reader may ask for facts, config, command, learning curve, learning-rate search and the worst answers. The answers
    come with a hash of the items that they are given to, those that metrics pick, the share of them that was cut off,
    and whether each seed would give the same. A cell without numbers, or whose files are gone, has no entry. Each cell
    is an attempt of its own.

    Args:
        parts: by cell ``metrics.<cell>`` (numbers, a failure's record or None), ``predictions.<cell>`` (rows or None)
            and ``checkpoint.<cell>`` (a handle or None); ``task.<name>``: the row of each task.
    """
    tasks: dict[str, TaskSpec] = names.arguments(parts, "task")
    rows, checkpoints = names.arguments(parts, names.PREDICTIONS), names.arguments(parts, names.CHECKPOINT)
    found, answers = {}, {}
    for cell, scores in names.arguments(parts, names.METRICS).items():
        if not (scores and "primary" in scores and rows[cell] and checkpoints[cell]):
            continue
        task = tasks[cell.split(".")[1]]
        with attempt(f"answers of {cell}"):
            given = {"items": items_digest(rows[cell]), "answers": written(rows[cell], task)}
            picked = {"picked": found_picks} if (found_picks := picks(rows[cell], task)) else {}
            seedless = {"seedless": draws_nothing(checkpoints[cell].record["method"])}
            answers[cell] = given | picked | cut_off(rows[cell]) | seedless
        with attempt(cell):
            found[cell] = detail(cell, scores, rows[cell], checkpoints[cell], task)
    return found, answers


def items_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """A hash of what was asked and what would be right: answers to equal ones can be compared item by item."""
    asked = [[row["prompt"], right] for row, right in zip(rows, right_answers(rows), strict=True)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def detail(
    cell: str, scores: Mapping[str, Any], rows: list[dict[str, Any]], checkpoint: Checkpoint, task: TaskSpec
) -> dict[str, Any]:
    """One cell's entry."""
    record = checkpoint.record
    method = record["method"]["name"]
    return {
        "facts": facts(scores, record),
        "confusion": confusion(scores, task),
        "command": f"kedro run --pipeline=benchmark --tags={names.cell_tag(names.cell_id(method, cell))}",
        "curve": record["log"],
        "lr_search": record.get("lr_search", []),
        "items": len(rows),
        "predictions": worst(rows, task),
        "config": {
            "method": record["method"],
            "task": task.model_dump(mode="json", exclude_defaults=True),
            "model": record["model"],
            "training_args": record["training_args"],
            "seed": record["seed"],
            "shortcuts": record["shortcuts"],
            "provenance": record.get("provenance", {}),
        },
    }


def worst(rows: list[dict[str, Any]], task: TaskSpec) -> list[dict[str, Any]]:
    """The ``MOST_ANSWERS`` rows with the worst score, as ``worst_first`` has them.

    Prompts are shown without the instruction, which is the same in all of them.
    """
    metric, scores, right = registry.metric(task.primary), item_scores(rows, task), right_answers(rows)
    shown = answers_of(rows, task, metric.name) if metric.pick else None
    return [
        {
            "score": round(scores[place], 3),
            "prompt": shortened(task.input_of(rows[place]["prompt"])),
            "references": [shortened(text) for text in right[place][:3]],
            "prediction": shortened(shown[place] if shown else rows[place]["prediction"]),
        }
        for place in worst_first(rows, task)[:MOST_ANSWERS]
    ]


def worst_first(rows: list[dict[str, Any]], task: TaskSpec) -> list[int]:
    """The numbers of the rows, the worst score first; of equal ones those whose right answer was least likely."""
    sign, scores = registry.metric(task.primary).item_sign, item_scores(rows, task)
    return sorted(range(len(rows)), key=lambda place: (sign * scores[place], _likelihood(rows[place]), place))


def item_scores(rows: list[dict[str, Any]], task: TaskSpec) -> list[float]:
    """Score of each answer: its own value in the primary metric, or what the metric's row says of single answers."""
    metric = registry.metric(task.primary)
    given = zip(answers_of(rows, task, metric.name), right_answers(rows), strict=True)
    return [metric.score_item(answer, right, task.label_words) for answer, right in given]


def _likelihood(row: Mapping[str, Any]) -> float:
    """The log-likelihood of the right label, where labels were scored."""
    found: Mapping[str, float] = row.get("label_scores") or {}
    return found.get(row["references"][0], 0.0)


def shortened(text: str) -> str:
    """A text whose middle is left out where it is long.

    >>> len(shortened("a" * 5_000)), shortened("short")
    (1503, 'short')
    """
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
