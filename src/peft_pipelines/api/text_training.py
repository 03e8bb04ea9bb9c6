"""The training of a method on texts with labels, by the nodes of a cell, but in memory: no store, no report."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from peft_pipelines.api.project_rows import Rows
from peft_pipelines.api.trained_texts import TEXT, TrainedTexts, read_files
from peft_pipelines.config import Cell, Grid, LrSearchSpec, TaskSpec
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.files import names
from peft_pipelines.inference.few_shot import shots_of
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.pipelines.cells.pipeline import create_pipeline
from peft_pipelines.storage.checkpoint import Trained
from peft_pipelines.storage.splits import Splits

LABEL: Final = "label"
SEED: Final = "seed"


def train_texts(rows: Rows, task: TaskSpec, texts: Sequence[str], labels: Sequence[int], seed: int) -> TrainedTexts:
    """Train a method on texts with labels, by the nodes of a cell.

    Args:
        rows: the method, the model, and the arguments.
        task: the task's row, with columns ``text`` and ``label``.
        texts: the training examples.
        labels: for each the key of its label in the task's row.
        seed: as that of a cell.

    Raises:
        ConfigError: the rows do not fit the model.
    """
    providers.check(rows.method, base_model.skeleton(rows.model, rows.weights))
    base = base_model.resident(rows.model, rows.weights)
    prompter = Prompter.of(base.spec, base.tokenizer, task.limit(rows.training_args))
    longest = max(len(prompter.encode_answer(word)) for word in task.label_words)
    task = task.model_copy(update={"max_new_tokens": longest})
    table = pa.table({TEXT: pa.array(texts, pa.string()), LABEL: pa.array(labels, pa.int64())})
    prompts = instruct(adapt({"train": table, "test": table.slice(0, 1)}, task, rows.sampling), task)
    with tempfile.TemporaryDirectory() as scratch:
        trained = _run_nodes(rows, task, prompts, seed, Path(scratch))
        folder = Path(scratch, names.CHECKPOINT)
        folder.mkdir()
        providers.save(trained.attached, folder)
        files = read_files(folder)
    trained.attached.detach()
    shots = shots_of(prompts, task, rows.method.shots, seed)
    return TrainedTexts(rows, task, files, base.checksum, trained.record, shots)


def _run_nodes(rows: Rows, task: TaskSpec, prompts: Splits, seed: int, scratch: Path) -> Trained:
    """Run the nodes of a cell up to its checkpoint."""
    cell = Cell(method=rows.method.name, model=rows.model.name, task=task.name, seed=SEED)
    checkpoint = names.artifact(cell, names.CHECKPOINT)
    grid = Grid(methods=(cell.method,), models=(cell.model,), tasks=(cell.task,), seeds=(cell.seed,))
    values: dict[str, Any] = {
        names.parameter("methods", cell.method): rows.method,
        names.parameter("models", cell.model): rows.model,
        names.parameter("training"): rows.training_args,
        names.parameter("tasks", cell.task): task,
        names.parameter("seeds", cell.seed): seed,
        names.parameter("grid", "lr_search"): LrSearchSpec(factors=(1.0,)),
        names.weights(cell.model): rows.weights,
        names.prompts(cell.task): prompts,
        names.artifact(cell, names.WORKSPACE): scratch / "state",
    }
    for node in create_pipeline(grid, {}).to_outputs(checkpoint).nodes:
        values |= node.run({name: values[name] for name in node.inputs})
    trained: Trained = values[checkpoint]
    return trained
