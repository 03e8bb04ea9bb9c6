"""The setup that all trainings of a cell share: trials of the learning-rate search differ in their rate alone."""

from dataclasses import asdict, dataclass
from pathlib import Path

from peft_pipelines.config import TrainingSpec
from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.train import Outcome, train
from peft_pipelines.training.trainer import TrainingJob


@dataclass(frozen=True)
class TrialSetup:
    """The examples, training arguments, short cuts and seed of all trainings of a cell.

    ``validation`` holds the examples that are scored.
    """

    examples: list[Encoded]
    validation: list[Encoded]
    training_args: TrainingSpec
    shortcuts: Shortcuts
    seed: int
    pad: int

    def fit(self, attached: Attached, rate: float, state: Path, phase: str) -> Outcome:
        """Train the method in place at a learning rate."""
        training_args = self.training_args.model_copy(update={"learning_rate": rate})
        model = LabelLogits(attached, self.shortcuts, self._prefix(), training_args.tokens_per_forward)
        attached.plain.train()
        if training_args.gradient_checkpointing:
            attached.core.gradient_checkpointing_enable({"use_reentrant": False})
            attached.core.enable_input_require_grads()
        job = TrainingJob(self.examples, self.validation, training_args, self.seed, self.pad, state, phase)
        return train(model, job)

    def facts(self) -> dict[str, object]:
        """Fields of the cell's record; ``tokens`` counts prompts and answers of the training examples, each once."""
        return {
            "shortcuts": asdict(self.shortcuts),
            "tokens_per_forward": self.training_args.tokens_per_forward,
            "shared_prefix_tokens": len(self._prefix()) if self.shortcuts.shared_prefix else 0,
            "rows": {"train": len(self.examples), "validation": len(self.validation)},
            "tokens": sum(len(example.ids) for example in self.examples),
            "truncated": {
                "train": sum(example.truncated for example in self.examples),
                "validation": sum(example.truncated for example in self.validation),
            },
        }

    def sizes(self) -> tuple[int | None, int | None]:
        """What was chosen for the device: a state that was begun with other sizes is not gone on with."""
        return self.training_args.tokens_per_forward, self.training_args.generation_batch_size

    def texts(self) -> list[dict[str, object]]:
        """All examples as plain values."""
        return [asdict(example) for example in self.examples + self.validation]

    def _prefix(self) -> list[int]:
        return shared_prefix([example.prompt for example in self.examples + self.validation])
