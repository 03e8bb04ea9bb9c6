"""PSCP of each method over all its cells, and how much its first place owes to the weights."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from peft_pipelines.evaluation.metrics.pscp import pscp
from peft_pipelines.files.names import MAJORITY, RANDOM
from peft_pipelines.reporting.scale import points

BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
NEEDED = ["primary", "trainable_parameters", "tflop", "base_tflop", "peak_memory_gb"]


def inputs(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Inputs of PSCP by method: means over its cells, of memory the highest peak; the score is in percent.

    Only tasks with a bounded score of which more is better count. Methods that lack a number in a cell are left out.
    """
    found = []
    for method, cells in points(rows).of(rows).groupby("method", sort=False):
        if method in (MAJORITY, RANDOM) or bool(cells[NEEDED].isna().to_numpy().any()):
            continue
        found.append(
            {
                "method": str(method),
                "score": 100 * float(cells["primary"].mean()),
                "parameters": float(cells["trainable_parameters"].mean()),
                "tflop": float(cells["tflop"].mean()),
                "base_tflop": float(cells["base_tflop"].mean()),
                "memory_gb": float(cells["peak_memory_gb"].max()),
            }
        )
    return found


def discounted(row: Mapping[str, Any], constants: Mapping[str, float]) -> float:
    """PSCP of one entry of ``inputs``, with the compute beyond the base's."""
    beyond = row["tflop"] - row["base_tflop"]
    return pscp(row["score"], row["parameters"], beyond, row["memory_gb"], **constants)["pscp"]


def stability(rows: Sequence[Mapping[str, Any]], constants: Mapping[str, float]) -> str:
    """Count of settings in which each method comes first, the three weights from ``BETAS``; empty for one method.

    Args:
        rows: as ``inputs`` makes them.
        constants: the run's own; the weights in them give way.
    """
    if len(rows) < 2:  # noqa: PLR2004
        return ""
    winners: dict[str, int] = {}
    for p, f, m in product(BETAS, repeat=3):
        changed = {**constants, "beta_p": p, "beta_f": f, "beta_m": m}
        winner = max(rows, key=lambda row: discounted(row, changed))["method"]
        winners[winner] = winners.get(winner, 0) + 1
    shares = [f"{name} in {count}" for name, count in sorted(winners.items(), key=lambda pair: -pair[1])]
    weights = f"{len(BETAS) ** 3} settings of PSCP's three weights from {BETAS[0]} to {BETAS[-1]:g}"
    return f"Over {weights}, first place: {', '.join(shares)}."
