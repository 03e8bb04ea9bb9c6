"""PSCP of each method over all its cells, and how much its first place owes to the weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from math import isclose
from typing import Any

import pandas as pd

from peft_pipelines.evaluation.metrics.pscp import pscp
from peft_pipelines.reporting.scale import GUESSES, points

BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
TIE = 1e-9
"""Two values tie where they differ by no more than this share: by the rounding of their products alone."""
NEEDED = ["primary", "trainable_parameters", "tflop", "base_tflop", "train_peak_memory_gb"]


def inputs(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Inputs of PSCP by method: means over its cells, of memory the highest peak of training; the score is in percent.

    Only tasks with a bounded score of which more is better count. Methods that lack a number in a cell are left out.
    """
    found = []
    for method, cells in points(rows).of(rows).groupby("method", sort=False):
        if method in GUESSES or bool(cells[NEEDED].isna().to_numpy().any()):
            continue
        found.append(
            {
                "method": str(method),
                "score": 100 * float(cells["primary"].mean()),
                "parameters": float(cells["trainable_parameters"].mean()),
                "tflop": float(cells["tflop"].mean()),
                "base_tflop": float(cells["base_tflop"].mean()),
                "memory_gb": float(cells["train_peak_memory_gb"].max()),
            }
        )
    return found


def discounted(row: Mapping[str, Any], constants: Mapping[str, float]) -> float:
    """PSCP of one entry of ``inputs``, with the compute beyond the base's."""
    beyond = row["tflop"] - row["base_tflop"]
    return pscp(row["score"], row["parameters"], beyond, row["memory_gb"], **constants)["pscp"]


def first(rows: Sequence[Mapping[str, Any]], constants: Mapping[str, float]) -> tuple[str, ...]:
    """The methods with the highest PSCP: several where they tie, as where all scores are 0.

    Args:
        rows: as ``inputs`` makes them.
        constants: PSCP's six.
    """
    found = {str(row["method"]): discounted(row, constants) for row in rows}
    best = max(found.values())
    return tuple(name for name, value in found.items() if isclose(value, best, rel_tol=TIE))


def stability(rows: Sequence[Mapping[str, Any]], constants: Mapping[str, float]) -> str:
    """Count of settings in which each method comes first, the three weights from ``BETAS``; empty for one method.

    Methods that tie are counted together.

    Args:
        rows: as ``inputs`` makes them.
        constants: the run's own; the weights in them give way.
    """
    if len(rows) < 2:  # noqa: PLR2004
        return ""
    weights = product(BETAS, repeat=3)
    winners = Counter(first(rows, {**constants, "beta_p": p, "beta_f": f, "beta_m": m}) for p, f, m in weights)
    shares = [f"{_together(names)} in {count}" for names, count in winners.most_common()]
    settings = f"{len(BETAS) ** 3} settings of PSCP's three weights from {BETAS[0]} to {BETAS[-1]:g}"
    return f"Over {settings}, first place: {', '.join(shares)}."


def _together(names: Sequence[str]) -> str:
    return f"a tie of {' = '.join(names)}" if len(names) > 1 else names[0]
