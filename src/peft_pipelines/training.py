"""Training one cell by the transformers Trainer: seeded, resumable, best state by validation."""

import hashlib
import inspect
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from peft_pipelines import batches, progress, prompting
from peft_pipelines import objective as objectives
from peft_pipelines.batches import Batches, cut
from peft_pipelines.errors import ConfigError
from peft_pipelines.io.atomic import read_json, replacing, write_json
from peft_pipelines.models import device
from peft_pipelines.objective import Objective, collate
from peft_pipelines.prompting import Encoded
from peft_pipelines.specs import TrainingSpec

TENSORS = "trainable.safetensors"
COMPLETE = "complete"
BEST = "best"


@dataclass(frozen=True)
class Outcome:
    """What training came to: steps run, the step whose weights were kept, and the log by step."""

    steps: int
    best_step: int
    log: list[dict[str, float]]


def train(
    objective: Objective,
    rows: Sequence[Encoded],
    validation: Sequence[Encoded],
    protocol: TrainingSpec,
    seed: int,
    pad: int,
    state: Path,
) -> Outcome:
    """Train the objective's method in place, from the newest complete state in ``state`` if there is one.

    At the end the method holds the weights with the lowest validation loss. The same arguments give the same weights,
    bit for bit, on one machine's CPU, in one go or resumed.
    """
    if not objective.attached.trainable():
        return Outcome(0, 0, [])
    trainer = CellTrainer(objective, rows, validation, protocol, seed, pad, state)
    result = trainer.train(resume_from_checkpoint=_newest(state))
    trainer.load_best()
    log = [
        {key: value for key, value in entry.items() if key in LOGGED and math.isfinite(value)}
        for entry in trainer.state.log_history
    ]
    return Outcome(result.global_step, trainer.best_step(), [entry for entry in log if len(entry) > 1])


LOGGED = ("step", "loss", "grad_norm", "learning_rate", "validation_loss")


class CellTrainer(Trainer):  # type: ignore[misc]
    """The Trainer with rows in seeded batches and a state that holds the method's own tensors only."""

    control: TrainerControl

    def __init__(
        self,
        objective: Objective,
        rows: Sequence[Encoded],
        validation: Sequence[Encoded],
        protocol: TrainingSpec,
        seed: int,
        pad: int,
        state: Path,
    ) -> None:
        self.rows, self.validation, self.folder = rows, validation, state
        self.protocol, self.collate = protocol, partial(collate, pad=pad)
        lengths = [len(row.ids) for row in rows]
        self.batches = Batches(lengths, protocol.batch_size, seed, bucketed=objective.shortcuts.length_buckets)
        steps = steps_of(protocol, len(self.batches))
        arguments = _arguments(protocol, seed, steps, state)
        arguments._n_gpu = min(1, arguments.n_gpu)  # several would be wrapped in DataParallel, which splits batches
        super().__init__(model=objective, args=arguments, train_dataset=list(rows))
        self.model_accepts_loss_kwargs = True
        self.remove_callback(PrinterCallback)
        self.add_callback(Schedule(steps, protocol.evaluations))

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The rows in their seeded batches."""
        loader: DataLoader[Any] = DataLoader(
            self.rows,  # type: ignore[arg-type]
            batch_sampler=self.batches,
            collate_fn=self.collate,
        )
        return self.accelerator.prepare(loader)  # type: ignore[no-any-return]

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The mean loss over all labelled tokens of the validation rows; the best weights are put aside."""
        loss = validation_loss(self.model, self.validation, self.protocol.generation_batch_size, self.collate)
        if not math.isfinite(loss):
            name, rate = self.model.attached.method.name, self.protocol.learning_rate
            raise ConfigError(f"method '{name}': training diverged at learning_rate {rate:g}, choose a lower one")
        best = self.folder / BEST
        if not best.exists() or loss < read_json(best / "validation.json")["loss"]:
            with replacing(best) as fresh:
                fresh.mkdir()
                self._save(str(fresh))
                write_json(fresh / "validation.json", {"loss": loss, "step": self.state.global_step})
        self.log({"validation_loss": loss})
        # tells the Trainer that it is done; at an epoch's last step it would evaluate twice
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, {"validation_loss": loss})
        return {"validation_loss": loss}

    def best_step(self) -> int:
        """The step whose weights have the lowest validation loss."""
        return int(read_json(self.folder / BEST / "validation.json")["step"])

    def load_best(self) -> None:
        """Put the best weights into the method."""
        self._load_from_checkpoint(str(self.folder / BEST))

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.model.attached.trainable().items()}
        save_file(tensors, folder / TENSORS)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        saved = load_file(Path(resume_from_checkpoint) / TENSORS)
        for name, value in self.model.attached.trainable().items():
            value.data.copy_(saved[name])

    def _rotate_checkpoints(self, *args: Any, **kwargs: Any) -> None:
        """The last step of saving a state: it counts from here on, and only then do older ones go."""
        write_json(self.folder / f"checkpoint-{self.state.global_step}" / COMPLETE, True)
        super()._rotate_checkpoints(*args, **kwargs)


class Schedule(TrainerCallback):  # type: ignore[misc]
    """Scores validation and saves the state at evenly spaced steps, the last one included; reports each step."""

    def __init__(self, steps: int, evaluations: int) -> None:
        self.steps = steps
        self.due = {math.ceil(steps * part / evaluations) for part in range(1, evaluations + 1)}

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """Mark what is due."""
        progress.step("train", state.global_step, self.steps)
        control.should_evaluate = control.should_save = state.global_step in self.due
        return control


@torch.no_grad()
def validation_loss(objective: Any, rows: Sequence[Encoded], size: int, batch_of: Any) -> float:
    """Mean loss over all labelled tokens of the rows: one number for the split, not a mean of batches."""
    objective.eval()
    total, count = 0.0, 0
    for batch in cut(sorted(rows, key=lambda row: len(row.ids)), size):
        labelled = sum(len(row.answer) for row in batch)
        tensors = {name: value.to(device()) for name, value in batch_of(batch).items()}
        total += float(objective(**tensors, num_items_in_batch=1)["loss"])
        count += labelled
    objective.train()
    return total / count


def steps_of(protocol: TrainingSpec, batches: int) -> int:
    """Optimizer steps of a whole training, as the Trainer counts them."""
    per_epoch = max(1, math.ceil(batches / protocol.gradient_accumulation_steps))
    return max(1, math.ceil(per_epoch * protocol.epochs))


def state_digest(*parts: Any) -> str:
    """A short name for everything that decides a training, our own code included: no state is resumed by another's."""
    code = [inspect.getsource(module) for module in (sys.modules[__name__], objectives, batches, prompting)]
    text = json.dumps([code, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _arguments(protocol: TrainingSpec, seed: int, steps: int, state: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(state),
        num_train_epochs=protocol.epochs,
        per_device_train_batch_size=protocol.batch_size,
        gradient_accumulation_steps=protocol.gradient_accumulation_steps,
        learning_rate=protocol.learning_rate,
        lr_scheduler_type=protocol.schedule,
        warmup_steps=round(protocol.warmup_ratio * steps),
        weight_decay=protocol.weight_decay,
        max_grad_norm=protocol.max_grad_norm,
        seed=seed,
        data_seed=seed,
        use_cpu=device().type == "cpu",
        eval_strategy="no",
        save_strategy="no",
        save_total_limit=1,
        logging_strategy="steps",
        logging_steps=max(1, steps // 20),
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to=[],
        dataloader_pin_memory=False,
    )


def _newest(state: Path) -> str | None:
    complete = [path.parent for path in state.glob(f"checkpoint-*/{COMPLETE}")]
    newest = max(complete, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
    return str(newest) if newest else None
