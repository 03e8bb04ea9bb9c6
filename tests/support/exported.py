"""Finished cells of tiny models on disk, made without a run: what exports are written of."""

from pathlib import Path
from typing import Any

import tiny
import words_of_bytes
from base_rows import task_of, training_args

from peft_pipelines.config import Cell, ModelSpec
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.serving.export.finished import Finished
from peft_pipelines.serving.recorded_cell import RecordedCell
from peft_pipelines.storage.checkpoint import Checkpoint
from peft_pipelines.tracking.runs import Run

RUN = "2026-01-01T00.00.00.000Z"
NUMBERS = {"metric": "accuracy", "primary": 0.8, "accuracy": 0.8, "primary_low": 0.7, "primary_high": 0.9, "n": 20.0}
SOURCE = {"repo": "someone/tiny", "revision": "1a2b"}


def finished(name: str, family: str, folder: Path, **row: Any) -> Finished:
    """The cell ``x.tiny.mood.s0`` of a method on a family of models, below a folder; its method is stirred.

    ``row`` changes the model's row.
    """
    weights = folder / "base"
    tiny.fresh(family).save_pretrained(weights)
    words_of_bytes.tokenizer().save_pretrained(weights)
    fields = {"dtype": "float32", "chat_template": True, "licence": "Apache-2.0", "citation": "Others 2024", **row}
    spec = ModelSpec(**{"name": "tiny", "folder": str(weights), **fields})
    base = base_model.load(spec, weights)
    method = tiny.method_for(name, family)
    saved = folder / RUN / "checkpoint"
    saved.mkdir(parents=True)
    attached = providers.attach(base_model.clone(base.model), method, seed=0)
    providers.save(tiny.stir(attached) if method.trains else attached, saved)
    (saved / "record.json").write_text("{}")
    (saved / "README.md").write_text("# Of the store\n")
    task = task_of("sst2")
    recorded = RecordedCell(
        cell=Cell(method="x", model="tiny", task="mood", seed="s0"),
        run=Run(folder / "runs" / RUN),
        checkpoint=Checkpoint(saved, record_of(base, method.model_dump(mode="json"), task.model_dump(mode="json"))),
        task=task,
        method=method,
        model=spec,
        training=training_args(),
        seed=0,
    )
    return Finished(recorded, weights, NUMBERS)


def record_of(base: base_model.Base, method: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """What a training writes beside a checkpoint."""
    return {
        "method": method,
        "model": {**base.spec.model_dump(mode="json"), "hub": SOURCE, "folder": None},
        "base_checksum": base.checksum,
        "training_args": {"epochs": 1.0, "learning_rate": 0.001},
        "seed": 0,
        "trainable_parameters": 1792,
        "total_parameters": 32416,
        "rows": {"train": 10, "validation": 2},
        "provenance": {
            "run_id": RUN,
            "task": task,
            "data": {"raw": {"sha256": {"train.parquet": "ab" * 32}}},
            "base_model": {"name": SOURCE["repo"], "revision": SOURCE["revision"], "sha256": {}},
            "environment": {"libraries": {"peft-pipelines": "0.1.0"}},
        },
    }
