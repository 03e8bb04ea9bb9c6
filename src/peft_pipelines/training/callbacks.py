"""Training arguments of the transformers Trainer, and the steps at which it validates and saves."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from peft_pipelines.config import TrainingSpec
from peft_pipelines.files import progress
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import device

LOGGED = ("step", "loss", "grad_norm", "learning_rate", "validation_loss")


def finite(entry: Mapping[str, float]) -> dict[str, float]:
    """Return what is kept of an entry of the Trainer's log; empty where that is the step alone.

    >>> finite({"step": 3, "loss": 0.5, "epoch": 1.0}), finite({"step": 3, "loss": math.nan})
    ({'step': 3, 'loss': 0.5}, {})
    """
    found = {key: value for key, value in entry.items() if key in LOGGED and math.isfinite(value)}
    return found if len(found) > 1 else {}


class Schedule(TrainerCallback):  # type: ignore[misc]
    """Validates and saves at evenly spaced steps, the last one included; reports each step and all that is logged."""

    def __init__(self, steps: int, evaluations: int, phase: str, attached: Attached) -> None:
        self.steps, self.phase, self.attached = steps, phase, attached
        self.due = {math.ceil(steps * part / evaluations) for part in range(1, evaluations + 1)}

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, *rest: Any, **kwargs: Any) -> None:
        """Report what the log holds already of a training that goes on."""
        for entry in state.log_history:
            self._report(entry)

    def on_log(self, args: TrainingArguments, state: TrainerState, *rest: Any, **kwargs: Any) -> None:
        """Report the newest entry of the log."""
        self._report(state.log_history[-1])

    def _report(self, entry: Mapping[str, float]) -> None:
        if kept := finite(entry):
            progress.log(self.phase, kept)

    def on_optimizer_step(self, args: TrainingArguments, state: TrainerState, *rest: Any, **kwargs: Any) -> None:
        """Call the method's ``after_step`` with the number of steps done, while their gradients are still there."""
        if self.attached.after_step:
            self.attached.after_step(state.global_step + 1)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Ask the Trainer to validate and save where it is due."""
        progress.step(self.phase, state.global_step, self.steps)
        control.should_evaluate = control.should_save = state.global_step in self.due
        return control


def steps_of(training_args: TrainingSpec, batches: int) -> int:
    """Count the optimizer steps of a whole training of so many batches an epoch, as the Trainer does."""
    per_epoch = max(1, math.ceil(batches / training_args.gradient_accumulation_steps))
    return max(1, math.ceil(per_epoch * training_args.epochs))


def arguments_of(training_args: TrainingSpec, seed: int, steps: int, state: Path) -> TrainingArguments:
    """Return the training arguments of the Trainer, which writes its checkpoints into ``state``."""
    return TrainingArguments(
        output_dir=str(state),
        num_train_epochs=training_args.epochs,
        per_device_train_batch_size=training_args.batch_size,
        gradient_accumulation_steps=training_args.gradient_accumulation_steps,
        learning_rate=training_args.learning_rate,
        lr_scheduler_type=training_args.schedule,
        warmup_steps=round(training_args.warmup_ratio * steps),
        weight_decay=training_args.weight_decay,
        max_grad_norm=training_args.max_grad_norm,
        seed=seed,
        data_seed=seed,
        use_cpu=device().type == "cpu",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=max(1, steps // 20),
        logging_nan_inf_filter=False,  # it would look at each step's loss, and wait for the device to have it
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to=[],
        dataloader_pin_memory=False,
    )
