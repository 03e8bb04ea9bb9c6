"""What all trainings of a cell have in common: a trial of the learning-rate search differs in its rate alone."""

from dataclasses import asdict, dataclass
from pathlib import Path

from peft_pipelines.config import TrainingSpec
from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.data.tokenize import Encoded, count_truncated
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.loss import Objective, Shortcuts
from peft_pipelines.training.train import Outcome, train


@dataclass(frozen=True)
class TrialSetup:
    """What all trainings of a cell have in common: the rows, the training arguments, the short cuts, the seed."""

    rows: list[Encoded]
    validation: list[Encoded]
    training_args: TrainingSpec
    shortcuts: Shortcuts
    seed: int
    pad: int

    def fit(self, attached: Attached, rate: float, state: Path, phase: str) -> Outcome:
        """Train the method in place at a learning rate."""
        training_args = self.training_args.model_copy(update={"learning_rate": rate})
        objective = Objective(attached, self.shortcuts, self._prefix(), training_args.tokens_per_forward)
        attached.plain.train()
        if training_args.gradient_checkpointing:
            attached.core.gradient_checkpointing_enable({"use_reentrant": False})
            attached.core.enable_input_require_grads()
        return train(objective, self.rows, self.validation, training_args, self.seed, self.pad, state, phase)

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
