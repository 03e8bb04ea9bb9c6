"""The second step of a cell: training, and the record of it."""

import platform
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from peft_pipelines import ladder, models, providers, training
from peft_pipelines.batches import shared_prefix
from peft_pipelines.errors import ConfigError
from peft_pipelines.io import Splits, Trained
from peft_pipelines.objective import Objective, Shortcuts
from peft_pipelines.pipelines.cells.construct import PeftModel
from peft_pipelines.prompting import Encoded, Prompter, count_truncated, learnable
from peft_pipelines.providers import Attached
from peft_pipelines.releases import LEARNING, releases
from peft_pipelines.specs import MethodSpec, TaskSpec, TrainingSpec, TuningSpec, parse


def train(
    peft_model: PeftModel,
    prompts: Splits,
    workspace: Path,
    task: TaskSpec,
    protocol: TrainingSpec,
    seed: int,
    tuning: TuningSpec,
    **together: Any,
) -> Trained:
    """Train the method on the training rows, once at each learning rate of the ladder.

    The weights that validation likes best are what is saved. Each training starts from the same weights and sees the
    same rows in the same order. Validation rows are the task's own.

    Args:
        together: of a method that learns several tasks at once, ``prompts.<task>`` and ``task.<task>`` of each.
    """
    attached, base = peft_model.attached, peft_model.base
    method = attached.method
    protocol = protocol.overridden(method)
    prompter = Prompter(base.tokenizer, base.spec.chat_template, task.limit(protocol))
    rows = learnable(prompter, prompts["train"].to_pylist())
    validation = learnable(prompter, prompts["validation"].to_pylist())
    if not rows or not validation:
        raise ConfigError(f"task '{task.name}': no answer fits max_length, got {prompter.max_length}; raise it")
    if method.train_on:
        rows = [row for name in method.train_on for row in _rows_of(name, method, base, protocol, together)]
        validation = [replace(row, task=method.train_on.index(task.name)) for row in validation]
    course = Course(
        rows, validation, protocol, Shortcuts.of(attached, protocol), seed, int(base.tokenizer.pad_token_id)
    )
    rates = tuning.ladder(protocol.learning_rate) if attached.trainable() else (protocol.learning_rate,)
    rests_on = [providers.fingerprint(method), releases(LEARNING), peft_model.facts, course.texts()]
    folders = {rate: workspace / training.state_digest(*rests_on, rate) for rate in rates}
    with base.untouched():
        attached, rungs = ladder.climb(
            attached, lambda: providers.attach(models.clone(base.model), method, seed), course.fit, folders
        )
    learnt = [together[f"prompts.{name}"]["train"] for name in method.train_on or ()] or [prompts["train"]]
    given = sum(table.num_rows for table in (*learnt, prompts["validation"]))
    record = {**peft_model.facts, **course.facts(), "max_length": prompter.max_length}
    record["left_out"] = given - len(course.rows) - len(course.validation)
    return Trained(attached, {**record, **ladder.record_of(rungs), **_surroundings()}, workspace)


def _surroundings() -> dict[str, Any]:
    return {"libraries": releases(LEARNING), "machine": platform.machine(), "device": str(models.device())}


def _rows_of(
    name: str, method: MethodSpec, base: models.Base, protocol: TrainingSpec, together: dict[str, Any]
) -> list[Encoded]:
    """The training rows of one of the tasks that are learnt together, marked with its place."""
    assert method.train_on
    spec = parse(TaskSpec, f"task '{name}'", dict(together[f"task.{name}"]))
    prompter = Prompter(base.tokenizer, base.spec.chat_template, spec.limit(protocol))
    rows = learnable(prompter, together[f"prompts.{name}"]["train"].to_pylist())
    return [replace(row, task=method.train_on.index(name)) for row in rows]


@dataclass(frozen=True)
class Course:
    """What all trainings of a cell have in common: the rows, the protocol, the short cuts, the seed."""

    rows: list[Encoded]
    validation: list[Encoded]
    protocol: TrainingSpec
    shortcuts: Shortcuts
    seed: int
    pad: int

    def fit(self, attached: Attached, rate: float, state: Path, phase: str) -> training.Outcome:
        """Train the method in place at a learning rate."""
        protocol = self.protocol.model_copy(update={"learning_rate": rate})
        objective = Objective(attached, self.shortcuts, self._prefix(), protocol.tokens_per_forward)
        attached.plain.train()
        if protocol.gradient_checkpointing:
            attached.core.gradient_checkpointing_enable({"use_reentrant": False})
            attached.core.enable_input_require_grads()
        return training.train(objective, self.rows, self.validation, protocol, self.seed, self.pad, state, phase)

    def facts(self) -> dict[str, object]:
        """What the record says of it; ``tokens`` are those of the training rows, once."""
        return {
            "shortcuts": asdict(self.shortcuts),
            "shared_prefix_tokens": len(self._prefix()) if self.shortcuts.shared_prefix else 0,
            "rows": {"train": len(self.rows), "validation": len(self.validation)},
            "tokens": sum(len(row.ids) for row in self.rows),
            "truncated": {"train": count_truncated(self.rows), "validation": count_truncated(self.validation)},
        }

    def texts(self) -> list[dict[str, object]]:
        """All rows as plain values."""
        return [asdict(row) for row in self.rows + self.validation]

    def _prefix(self) -> list[int]:
        return shared_prefix([row.prompt for row in self.rows + self.validation])
