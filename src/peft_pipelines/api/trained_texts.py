"""A method that was trained on texts with labels, in memory; what answers is loaded when it is first asked."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from peft_pipelines.api.opened_project import configured
from peft_pipelines.api.project_rows import Rows
from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.unanswered import examples
from peft_pipelines.methods.custom_folder import use_methods_of
from peft_pipelines.running import quiet

if TYPE_CHECKING:
    from peft_pipelines.data.encoded import Shot
    from peft_pipelines.inference.answerer import Answerer

TEXT: Final = "text"


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
        asked = self.answerer.encode(lines)
        with self.answerer.base.untouched(self.rows.training_args.deterministic):
            generations = self.answerer.generate(asked)
        return np.array([[each.logprob for each in found.likelihoods] for found in generations])

    @cached_property
    def answerer(self) -> "Answerer":
        """The method on its base model, which is read when it is first asked for.

        Raises:
            ConfigError: the base model's weights are not those that it was trained on.
        """
        rows = self.rows
        quiet.silence()  # a copy may be asked in a process that has not trained it
        configured(rows.project)
        use_methods_of(rows.project)
        from peft_pipelines.inference.answerer import Answerer  # noqa: PLC0415  (loads torch, once its log is quiet)
        from peft_pipelines.models import base_model  # noqa: PLC0415  (likewise)

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
        return {name: value for name, value in vars(self).items() if name != "answerer"}


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
