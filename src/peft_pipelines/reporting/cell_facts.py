"""The numbers of one cell for readers: in words, with units, in groups."""

from collections.abc import Callable, Mapping
from typing import Any

from peft_pipelines.config import TaskSpec
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.metrics.unit import PERCENT, Unit
from peft_pipelines.reporting.collect import comparable

Group = dict[str, str]
Writer = Callable[[float], str]

PRIMARY = frozenset({"primary", "primary_low", "primary_high"})
NO_SCORES = frozenset({"steps", "learning_rate", "lr_trials", "lr_at_edge", "truncated_rows", "truncated_share"})
EXAMPLES = "test examples"
MOST_LABELS = 12
"""With more labels a table of answers by label is no longer read."""


COSTS: dict[str, tuple[str, Writer]] = {
    "trainable_parameters": ("trainable parameters", "{:,.0f}".format),
    "checkpoint_bytes": ("checkpoint", lambda size: f"{size / 1e6:,.2f} MB"),
    "train_peak_memory_gb": ("peak memory of training", "{:.2f} GB".format),
    "generate_peak_memory_gb": ("peak memory of answering", "{:.2f} GB".format),
    "tflop": ("one forward of 1 x 512 tokens", "{:.4g} TFLOP".format),
    "base_tflop": ("that of the base model", "{:.4g} TFLOP".format),
    "added_gflop": ("the method's part of it", "{:.4g} GFLOP".format),
    "train_seconds": ("training", "{:,.1f} s".format),
    "train_cpu_seconds": ("training, processor time", "{:,.1f} s".format),
    "lr_search_seconds": ("all learning rates together", "{:,.1f} s".format),
    "lr_search_cpu_seconds": ("all learning rates together, processor time", "{:,.1f} s".format),
    "generate_seconds": ("answering", "{:,.1f} s".format),
    "generate_cpu_seconds": ("answering, processor time", "{:,.1f} s".format),
    "train_energy_wh": ("energy of training, estimated", "{:.3g} Wh".format),
    "generate_energy_wh": ("energy of answering, estimated", "{:.3g} Wh".format),
    "co2_g": ("CO₂ of both, estimated", "{:.3g} g".format),
    "pscp": ("PSCP", "{:.2f}".format),
    "pscp_absolute": ("PSCP, absolute compute", "{:.2f}".format),
}
KINDS = {"train_peak_memory_gb": "memory_kind", "generate_peak_memory_gb": "generate_memory_kind"}
"""The field that says of which kind a peak is."""


def facts(scores: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Group]:
    """Scores, costs and training of a cell, each as lines of a name and a text."""
    scores = comparable(scores)
    return {"Scores": scored(scores), "Costs": spent(scores), "Training": trained(scores, record)}


def scored(scores: Mapping[str, Any]) -> Group:
    """The primary metric with its interval, then all other metrics but those of single labels.

    >>> scored({"metric": "accuracy", "primary": 0.5, "accuracy": 0.5, "ece": 0.125, "n": 80.0, "f1.yes": 0.4})
    {'accuracy': '50.0 %', 'ece': '12.5 %', 'test examples': '80'}
    """
    own = scores["metric"]
    unit = quantity(own).unit
    found = {own: unit.with_symbol(scores["primary"]) + _between(scores, unit)}
    for name, value in scores.items():
        kept = isinstance(value, float) and "." not in name and name not in PRIMARY | NO_SCORES | COSTS.keys()
        if kept and name != own and not name.startswith("pscp_"):
            found[EXAMPLES if name == "n" else name] = quantity(name).unit.with_symbol(value)
    return found


def _between(scores: Mapping[str, Any], unit: Unit) -> str:
    if "primary_low" not in scores:
        return ""
    return f" ({unit.text(scores['primary_low'])} to {unit.text(scores['primary_high'])})"


def spent(scores: Mapping[str, Any]) -> Group:
    """The costs that were measured.

    >>> spent({"checkpoint_bytes": 1_859_871, "co2_g": None})
    {'checkpoint': '1.86 MB'}
    """
    single = scores.get("lr_trials", 1) <= 1
    known = [name for name in COSTS if scores.get(name) is not None and not (single and name.startswith("lr_search"))]
    found = {COSTS[name][0]: COSTS[name][1](scores[name]) for name in known}
    for peak, kind in KINDS.items():
        if peak in known and kind in scores:
            found[COSTS[peak][0]] += f" ({scores[kind]})"
    return found


def trained(scores: Mapping[str, Any], record: Mapping[str, Any]) -> Group:
    """Rows, steps, learning rate and other facts of the cell's training."""
    rows = ", ".join(f"{count:,} {split}" for split, count in record["rows"].items())
    found = {
        "rows": rows,
        "steps": f"{record['steps']:,}, best at step {record['best_step']:,}",
        "learning rate": f"{record['training_args']['learning_rate']:g}",
        "rows that lost text": f"{scores['truncated_rows']:,}",
    }
    if scores.get("lr_trials", 1) > 1:
        found["learning rate"] += f", chosen from {scores['lr_trials']:.0f}" + (
            ", at the end of the learning-rate search" if scores["lr_at_edge"] else ""
        )
    if "shots_used" in scores:
        found["examples before each question"] = f"{scores['shots_used']:g}"
    return found


def confusion(scores: Mapping[str, Any], task: TaskSpec) -> list[list[str]]:
    """Confusion counts of a task's labels; the first line names the answers. Empty for free text."""
    words = task.label_words
    if not 0 < len(words) <= MOST_LABELS:
        return []
    answers = [*words, "invalid"]
    heads = ["right, down; answered, across", *answers, "recall", "F1"]
    lines = [
        [
            word,
            *(f"{scores[f'confusion.{word}.{answer}']:.0f}" for answer in answers),
            *(PERCENT.with_symbol(scores[f"{name}.{word}"]) for name in ("recall", "f1")),
        ]
        for word in words
        if f"confusion.{word}.{word}" in scores
    ]
    return [heads, *lines] if lines else []
