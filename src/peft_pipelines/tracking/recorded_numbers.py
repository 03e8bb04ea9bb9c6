"""Comparison of a cell's numbers between two runs: the ones that must be equal, and equality."""

import math
import re
from collections.abc import Mapping
from typing import Any

MEASURED = re.compile(
    r"seconds|memory|attention$|tokens_per_forward$|batch_size$|_wh$|^co2|^energy|^pscp|^run_id$|^checkpoint$|^cell$|"
    r"^git_commit$"
)
"""Measured costs, what is chosen for the device, PSCP, which is computed from costs, and the numbers' provenance."""


def repeatable(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell's scores and counts, which do not depend on the machine's speed or memory.

    >>> repeatable({"accuracy": 0.5, "train_seconds": 3.2, "pscp": 41.0, "steps": 8})
    {'accuracy': 0.5, 'steps': 8}
    """
    return {name: value for name, value in numbers.items() if not MEASURED.search(name)}


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; numbers to the last bit, and what is not a number equals itself.

    >>> same(0.1 + 0.2, 0.3), same(float("nan"), float("nan")), same("accuracy", "accuracy")
    (False, True, True)
    """
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def written(value: Any) -> str:
    """Return a value as text, a number rounded to six digits.

    >>> written(0.123456789), written(3), written(None)
    ('0.123457', '3', '—')
    """
    if value is None:
        return "—"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
