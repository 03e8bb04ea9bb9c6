"""A method trained on texts with labels, as the cells of a grid are, but in memory: no store, no report."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from peft_pipelines.api.project_rows import Rows
from peft_pipelines.config import Cell, Grid, LrSearchSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.data.unanswered import examples
from peft_pipelines.files import names
from peft_pipelines.inference.few_shot import shots_of
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.pipelines.cells.pipeline import create_pipeline
from peft_pipelines.storage.checkpoint import Trained
from peft_pipelines.storage.splits import Splits

if TYPE_CHECKING:
    from peft_pipelines.data.encoded import Shot
    from peft_pipelines.inference.answerer import Answerer

TEXT: Final = "text"
LABEL: Final = "label"
SEED: Final = "seed"


@dataclass(frozen=True)
class TrainedTexts:
    """A trained method with all that decides its answers; it can be copied, as plain values and bytes can.

    Attributes:
        rows: the rows that it was trained by.
        task: the task's row.
        files: the checkpoint's files, tensors as safetensors, by their paths in its folder.
        base_checksum: that of the base's weights.
        record: the outcome of the training.
        shots: the examples that stand answered before each prompt, if any.
    """

    rows: Rows
    task: TaskSpec
    files: dict[str, bytes] = field(repr=False)
    base_checksum: int
    record: dict[str, Any] = field(repr=False)
    shots: "list[Shot]" = field(repr=False)

    def label_logprobs(self, texts: Sequence[str]) -> "np.ndarray[Any, Any]":
        """Return the log-probability of each label behind each text: (texts, labels), in the order of the labels."""
        lines = examples([{TEXT: text} for text in texts], self.task, [TEXT])
        asked = self._answerer.encode(lines)
        with self._answerer.base.untouched(self.rows.training_args.deterministic):
            generations = self._answerer.generate(asked)
        return np.array([[each.logprob for each in found.likelihoods] for found in generations])

    @cached_property
    def _answerer(self) -> "Answerer":
        from peft_pipelines.inference.answerer import Answerer  # noqa: PLC0415  (its type is all that copies need)

        rows = self.rows
        base = base_model.resident(rows.model, rows.weights)
        if base.checksum != self.base_checksum:
            raise ConfigError(
                f"model '{rows.model.name}': its weights must be those that the classifier was trained on (checksum "
                f"{self.base_checksum}), got others (checksum {base.checksum})"
            )
        with tempfile.TemporaryDirectory() as folder:
            write_files(self.files, Path(folder))
            return Answerer.of(base, rows.method, rows.training_args, self.task, Path(folder), self.shots)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: not the model in memory, which a copy loads for itself."""
        return {name: value for name, value in vars(self).items() if name != "_answerer"}


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write a checkpoint's files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def train_texts(rows: Rows, task: TaskSpec, texts: Sequence[str], labels: Sequence[int], seed: int) -> TrainedTexts:
    """Train a method on texts with labels, by the nodes of a cell.

    Args:
        rows: the method, the model, and the arguments.
        task: the task's row, with columns ``text`` and ``label``.
        texts: the training examples.
        labels: for each the key of its label in the task's row.
        seed: as that of a cell.

    Raises:
        ConfigError: the rows do not fit the model, or a text is empty.
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
