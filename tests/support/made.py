"""Cells with made-up answers and real numbers: scored, compared and written by the functions of the run."""

import random
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from peft_pipelines.config import ExecutionSpec, PscpSpec, TaskSpec, parse
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.reporting.collect import collect
from peft_pipelines.reporting.comparisons import adjust_p_values, compare
from peft_pipelines.reporting.details import details
from peft_pipelines.reporting.other_metrics import compare_others
from peft_pipelines.reporting.page.page import page
from peft_pipelines.reporting.ranks import rank
from peft_pipelines.reporting.results import guess, majority, tabulate
from peft_pipelines.reporting.summary_sentences import summarise
from peft_pipelines.storage.checkpoint import Checkpoint

PSCP = PscpSpec(c_p=5e8, c_f=10.0, c_m=94.0, beta_p=1.0, beta_f=1.0, beta_m=1.0)
NO_RUNS = ExecutionSpec(enabled=False, seconds=1, memory_mb=128, processes=1, file_mb=1, output_kb=1)
MODEL = {"folder": "-", "dtype": "float32", "chat_template": True, "licence": "-", "citation": "-", "notes": "a note"}
FAILURE = {"cell": "-", "node": "train", "type": "OutOfMemoryError", "reason": "no room for 2 GB"}
FAMILIES = ("baseline", "reparameterised", "adapter", "selective", "soft_prompt")
LOG = [{"loss": 2.0, "step": 1}, {"validation_loss": 1.5, "step": 1}, {"loss": 1.0, "step": 2}]
PROVENANCE = {"run_id": "r1", "environment": {"code": {"git_commit": "abc"}, "python": "3.11"}}


def labelled(name: str = "moods", **more: Any) -> TaskSpec:
    """A task with two labels."""
    row = {"label": "label", "labels": {0: "no", 1: "yes"}, "metrics": ["macro_f1", "accuracy", "per_class"]}
    return _task(name, row | more)


def free(name: str = "sums", metric: str = "number_accuracy") -> TaskSpec:
    """A task of free text."""
    return _task(name, {"target": "{answer}", "metrics": [metric]})


def _task(name: str, row: dict[str, Any]) -> TaskSpec:
    common = {"name": name, "type": "-", "splits": {"train": "train", "test": "test"}, "instruction": "Good or bad?"}
    more = {"input": "{text}", "max_new_tokens": 2, "licence": "-", "citation": "-"}
    return parse(TaskSpec, f"task '{name}'", {**common, **more, **row})


def method(name: str, family: str) -> dict[str, Any]:
    """A method's row, resolved."""
    provider = "none" if family == "baseline" else "weights"
    row = {"name": name, "provider": provider, "type": "none", "family": family, "config": {}, "training": {}}
    return {**row, "citation": "none"}


def asked(task: TaskSpec, n: int, words: str = "a line") -> list[dict[str, Any]]:
    """Prompts and right answers."""
    chance = random.Random(task.name)
    answers = task.label_words or ("2", "3", "5", "7")
    return [
        {"prompt": f"{task.instruction}\n\n{words} {place}", "references": [chance.choice(answers)]}
        for place in range(n)
    ]


def answered(rows: Sequence[dict[str, Any]], task: TaskSpec, share: float, seed: object) -> list[dict[str, Any]]:
    """Predictions of which about a share is right."""
    chance = random.Random(str(seed))
    words = task.label_words or ("2", "3", "5", "7")
    found = []
    for row in rows:
        likely = {"label_scores": {word: -chance.random() for word in task.label_words}} if task.labels else {}
        right = row["references"][0] if chance.random() < share else chance.choice(words)
        found.append({**row, "prediction": right, **likely})
    return found


def checkpoint(folder: Path, row: dict[str, Any], seed: int, **more: Any) -> Checkpoint:
    """A handle whose record says what a training leaves."""
    (folder / "adapter.safetensors").parent.mkdir(parents=True, exist_ok=True)
    (folder / "adapter.safetensors").write_bytes(b"0" * (0 if row["family"] == "baseline" else 1000 * (seed + 1)))
    record = {
        "method": row,
        "model": {"name": "tiny"},
        "seed": seed,
        "training_args": {"learning_rate": 1e-3, "epochs": 1.0},
        "shortcuts": {"shared_prefix": True},
        "provenance": PROVENANCE,
        "log": LOG,
        "lr_search": [],
        "lr_at_edge": False,
        "rows": {"train": 100, "validation": 10},
        "truncated": {"train": 0, "validation": 0},
        "steps": 20,
        "best_step": 10,
        "trainable_parameters": 0,
        "learning_rate": 1e-3,
        "train_peak_memory_gb": 0.5,
        "train_memory_kind": "resident set above the loaded base",
        **{f"{what}_{kind}": 60.0 for what in ("train", "lr_search") for kind in ("seconds", "cpu_seconds")},
    }
    return Checkpoint(folder, record | more)


GENERATION = {
    "truncated": 0,
    "generate_seconds": 4.5,
    "generate_cpu_seconds": 4.0,
    "generate_peak_memory_gb": 0.3,
    "generate_memory_kind": "resident set above the loaded base",
    "tflop": 0.14,
    "base_tflop": 0.138,
}


class Made:
    """All that a grid's cells left, and what the report makes of it.

    ``lost`` names cells that are None or the record of a failure; ``shares`` says how much each method gets right.
    """

    def __init__(
        self,
        folder: Path,
        shares: dict[str, float],
        tasks: Sequence[TaskSpec],
        *,
        models: Sequence[str] = ("tiny",),
        seeds: int = 1,
        n: int = 40,
        words: str = "a line",
        lost: dict[str, Any] | None = None,
        **record: Any,
    ) -> None:
        self.tasks, self.models, self.methods = {task.name: task for task in tasks}, models, list(shares)
        self.specs = {name: method(name, FAMILIES[place and 1 + place % 4]) for place, name in enumerate(shares)}
        self.rows = {task.name: asked(task, n, words) for task in tasks}
        prompts = {name: pa.Table.from_pylist(rows) for name, rows in self.rows.items()}
        self.prompts = {name: dict.fromkeys(("train", "validation", "test"), rows) for name, rows in prompts.items()}
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.details, self.answers = {}, {}
        for place, (name, share) in enumerate(shares.items()):
            parts: dict[str, Any] = {f"task.{task.name}": task for task in tasks}
            for model, task, seed in product(models, tasks, range(seeds)):
                cell = f"{model}.{task.name}.s{seed}"
                if f"{name}.{cell}" in (lost or {}):
                    found = (lost or {})[f"{name}.{cell}"], None, None
                else:
                    rows = answered(self.rows[task.name], task, share, (name, model, seed))
                    size = {"trainable_parameters": 0 if self.specs[name]["family"] == "baseline" else 3**place * 5000}
                    handle = checkpoint(folder / f"{name}.{cell}", self.specs[name], seed, **size | record)
                    found = score(rows, GENERATION, handle, task, PSCP, NO_RUNS), rows, handle
                for kind, value in zip(("metrics", "predictions", "checkpoint"), found, strict=True):
                    parts[f"{kind}.{cell}"] = value
            self.details[name], self.answers[name] = details(**parts)
            cells = {key.partition(".")[2]: value for key, value in parts.items() if key.startswith("metrics.")}
            self.results[name] = collect(**cells)
        for name, function in {"majority": majority, "random": guess}.items():
            scored = {task.name: function(self.prompts[task.name], task) for task in tasks}
            self.results[name] = collect(**{f"{model}.{task}.-": scored[task] for model in models for task in scored})

    def compared(self, function: Callable[..., list[dict[str, Any]]] = compare) -> list[dict[str, Any]]:
        """All comparisons, or what another function makes of the same parts."""
        answers = {f"answers.{name}": found for name, found in self.answers.items()}
        tasks = {f"task.{name}": task for name, task in self.tasks.items()}
        prompts = {f"prompts.{name}": found for name, found in self.prompts.items()}
        parts = {"majority": self.results["majority"], **answers, **tasks, **prompts}
        return function(**parts)

    def table(self, differences: pd.DataFrame) -> pd.DataFrame:
        """The frame of results."""
        rows = {f"rows.{name}": found for name, found in self.results.items()}
        data = [{"task": name, "test = train": 0} for name in self.tasks]
        return tabulate(differences, data, self.compared(), **rows, **self._specs())[0]

    def _specs(self) -> dict[str, dict[str, Any]]:
        return {f"spec.{name}": {k: v for k, v in row.items() if k != "name"} for name, row in self.specs.items()}

    def summary(self) -> list[dict[str, Any]]:
        """The sentences that the report begins with."""
        differences = adjust_p_values(self.compared())
        return summarise(self.table(differences), differences, **self._specs())

    def page(self, *, grid: dict[str, Any] | None = None, published: dict[str, Any] | None = None) -> str:
        """The page of it all."""
        comparisons = self.compared()
        differences = adjust_p_values(comparisons)
        results = self.table(differences)
        found = {f"details.{name}": cells for name, cells in self.details.items()}
        models = {f"model.{name}": MODEL for name in self.models}
        constants = {"pscp": PSCP, "grid": {"answers_shown": 20} | (grid or {}), "published": published or {}}
        summary = summarise(results, differences, **self._specs())
        ranks, others = rank(results)[0], self.compared(compare_others)
        return page(results, comparisons, differences, ranks, None, summary, others, **constants, **models, **found)
