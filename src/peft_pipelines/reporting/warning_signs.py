"""Warning signs beside a score."""

from collections.abc import Iterable, Mapping
from typing import Any

from peft_pipelines.evaluation.metrics.registry import METRICS

INVALID_LIMIT, CUT_OFF_LIMIT, TRUNCATED_LIMIT = 0.05, 0.05, 0.01
ONE_CLASS, INVALID, CUT_OFF, LIKE_MAJORITY, TRUNCATED, LEAK = "!", "?", "…", "≈", "†", "‡"
MARKS = {
    ONE_CLASS: "predicts one class only",
    INVALID: f"more than {INVALID_LIMIT:.0%} of the answers are invalid",
    CUT_OFF: f"{CUT_OFF_LIMIT:.0%} or more of the answers were cut off: nothing is called better than such a score",
    LIKE_MAJORITY: "not significantly different from always giving the most frequent answer",
    TRUNCATED: f"more than {TRUNCATED_LIMIT:.0%} of a split's examples lost text to the length limit",
    LEAK: "some test inputs stand among the training inputs (see the data report)",
}
"""The first five belong to a cell, the last to a task."""


def marks_of(row: Mapping[str, Any], like_majority: bool) -> str:
    """The signs of one cell; none for a cell without numbers.

    >>> marks_of({"primary": 0.5, "invalid_rate": 0.2, "support.a": 1.0, "confusion.a.a": 0.0}, True)
    '?≈'
    """
    if row.get("primary") is None:
        return ""
    truncated = row.get("truncated_share", 0) > TRUNCATED_LIMIT
    return together(
        [
            written_marks({"predicted_classes": predicted_classes(row), **row}),
            LIKE_MAJORITY if like_majority else "",
            TRUNCATED if truncated else "",
        ]
    )


def written_marks(row: Mapping[str, Any]) -> str:
    """The signs of the answers that were written; none where the row's metric reads other ones.

    >>> [written_marks({"metric": metric, "cut_off_rate": 0.1}) for metric in ("accuracy", "acc")]
    ['…', '']
    """
    own = METRICS.get(row.get("metric", ""))
    if own and own.pick:
        return ""
    rates = [row.get(name, 0) for name, metric in METRICS.items() if metric.counts_invalid]
    holds = {
        ONE_CLASS: row.get("predicted_classes") == 1,
        INVALID: any(rate > INVALID_LIMIT for rate in rates),
        CUT_OFF: is_cut_off(row.get("cut_off_rate")),
    }
    return "".join(sign for sign, true in holds.items() if true)


def is_cut_off(rate: float | None) -> bool:
    """Whether so many answers were cut off that the score may be that of the limit."""
    return rate is not None and rate >= CUT_OFF_LIMIT


def together(marks: Iterable[str]) -> str:
    """The signs of several cells, each once and in their fixed order.

    >>> together(["≈", "!≈", ""])
    '!≈'
    """
    found = "".join(marks)
    return "".join(sign for sign in MARKS if sign in found)


def predicted_classes(scores: Mapping[str, Any]) -> int | None:
    """Count of a task's labels that were answered at least once; None for free text and for a cell without metrics.

    >>> predicted_classes({"support.no": 2.0, "support.yes": 1.0, "confusion.no.no": 0.0, "confusion.no.yes": 2.0,
    ...                    "confusion.yes.no": 0.0, "confusion.yes.yes": 1.0})
    1
    """
    words = [key.removeprefix("support.") for key in scores if key.startswith("support.")]
    answered = [any(scores.get(f"confusion.{gold}.{word}", 0) for gold in words) for word in words]
    return sum(answered) if words else None
