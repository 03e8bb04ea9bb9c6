"""The transformers Trainer with a cell's own batches, optimizer and loss, and checkpoints of the method's tensors."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerControl

from peft_pipelines.config import TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.batching import Batches
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.files.atomic import read_json, replacing, write_json
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.kept import Kept, restore
from peft_pipelines.training import optimizers
from peft_pipelines.training.callbacks import Schedule, arguments_of, steps_of
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.loss import loss_of
from peft_pipelines.training.validation import validation_loss

TENSORS, COMPLETE, BEST = "trainable.safetensors", "complete", "best"


class Diverged(ConfigError):
    """A validation loss is not finite, after ``step`` optimizer steps and ``tokens`` tokens."""

    def __init__(self, message: str, step: int, tokens: int) -> None:
        super().__init__(message)
        self.step, self.tokens = step, tokens


@dataclass(frozen=True)
class TrainingJob:
    """The data and settings of one training.

    Attributes:
        examples: the training split.
        validation: the validation split, scored ``training_args.evaluations`` times.
        training_args: the method's own values included, all sizes set; ``loss`` names the loss.
        seed: decides the order of the examples and all that is drawn at random.
        pad: the padding token's id.
        state: a folder; a training that was interrupted goes on from its newest complete checkpoint.
        phase: the name that progress is shown by.
    """

    examples: Sequence[Encoded]
    validation: Sequence[Encoded]
    training_args: TrainingSpec
    seed: int
    pad: int
    state: Path
    phase: str = "train"


class CellTrainer(Trainer):  # type: ignore[misc]
    """The Trainer with examples in seeded batches; its checkpoints hold the method's own tensors only."""

    control: TrainerControl
    optimizer: Optimizer | None

    def __init__(self, model: LabelLogits, job: TrainingJob) -> None:
        examples, training_args = job.examples, job.training_args
        self.examples, self.validation, self.folder = examples, job.validation, job.state
        self.training_args, self.collate, self.share = training_args, partial(collate, pad=job.pad), 1.0
        self.loss_function = loss_of(training_args, model.attached.method)
        lengths = [len(example.ids) for example in examples]
        bucketed, tasks = model.shortcuts.length_buckets, [example.task for example in examples]
        groups = [example.group for example in examples] if model.shortcuts.group_batches else ()
        self.batches = Batches(
            lengths, training_args.batch_size, job.seed, bucketed=bucketed, tasks=tasks, groups=groups
        )
        steps = steps_of(training_args, len(self.batches))
        self.kept = Kept(model.attached)
        if model.attached.begin:
            model.attached.begin(steps)
        arguments = arguments_of(training_args, job.seed, steps, job.state)
        arguments._n_gpu = min(1, arguments.n_gpu)  # several would be wrapped in DataParallel, which splits batches
        super().__init__(model=model, args=arguments, train_dataset=list(examples))
        self.model_accepts_loss_kwargs = True
        self.remove_callback(PrinterCallback)
        self.add_callback(Schedule(steps, training_args.evaluations, job.phase, model.attached))

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The training examples in their seeded batches."""
        loader: DataLoader[Any] = DataLoader(
            self.examples,  # type: ignore[arg-type]
            batch_sampler=self.batches,
            collate_fn=self.collate,
        )
        return self.accelerator.prepare_data_loader(loader, device_placement=False)  # type: ignore[no-any-return]

    def _prepare_inputs(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A batch as it is: the model looks at it on the CPU, and sends to its device what it computes with."""
        return inputs

    def get_batch_samples(self, batches: Any, count: int, device: torch.device) -> Any:
        """The batches of a step and the number of their labels, on the CPU like them."""
        return super().get_batch_samples(batches, count, torch.device("cpu"))

    def create_optimizer(self) -> Optimizer:
        """The optimizer that the method's row names."""
        if self.optimizer is None:
            attached = self.model.attached
            self.optimizer = optimizers.build(attached, self.training_args, attached.method)
        return self.optimizer

    def training_step(
        self, model: Any, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Forward and backward of a batch, branch by branch: the same gradients, less memory.

        Returns the batch's loss, a scalar.
        """
        tree = self.model.branches(inputs, self.training_args.tokens_per_forward)
        self.share = 1 / (len(tree.leaves()) * self.current_gradient_accumulation_steps)
        parts = self.model.running(inputs, tree)
        losses = [super(CellTrainer, self).training_step(model, part, num_items_in_batch) for part in parts]
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Loss of a part of a batch: the sum over its labelled tokens, divided by their number in the whole step.

        ``training_step`` calls it. A penalty of the method's own is added in equal shares by all parts of a step.
        """
        logits, targets = model(**inputs)
        loss: torch.Tensor = self.loss_function(logits, targets) / num_items_in_batch
        if self.model.attached.penalty:
            loss = loss + self.share * self.model.attached.penalty()
        return loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation split, and keep the weights where its loss is the lowest so far.

        Raises:
            Diverged: the loss is not finite.
        """
        loss = validation_loss(self.model, self.validation, self.training_args.generation_batch_size, self.collate)
        if not math.isfinite(loss):
            where, rate = f"method '{self.model.attached.method.name}'", self.training_args.learning_rate
            message = f"{where}: training diverged at learning_rate {rate:g}, choose a lower one"
            step = self.state.global_step
            raise Diverged(message, step, self.tokens_of(step))
        best = self.folder / BEST
        if not best.exists() or loss < read_json(best / "validation.json")["loss"]:
            with replacing(best) as fresh:
                fresh.mkdir()
                self._save(str(fresh))
                write_json(fresh / "validation.json", {"loss": loss, "step": self.state.global_step})
        self.log({"validation_loss": loss})
        # without it the Trainer would evaluate twice at an epoch's last step
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, {"validation_loss": loss})
        return {"validation_loss": loss}

    def tokens_of(self, steps: int) -> int:
        """Count the tokens of prompt and answer, padding left out, in the first ``steps`` optimizer steps."""
        return self.batches.tokens(steps, self.training_args.gradient_accumulation_steps)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.model.attached.trainable().items()}
        save_file(tensors, folder / TENSORS)
        self.kept.save(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        put(self.model.attached, Path(resume_from_checkpoint))

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save a checkpoint. The file ``complete`` is written last, and older checkpoints are deleted only after it."""
        super()._save_checkpoint(*args, **kwargs)
        newest = self.folder / f"checkpoint-{self.state.global_step}"
        write_json(newest / COMPLETE, True)
        for other in set(self.folder.glob("checkpoint-*")) - {newest}:
            shutil.rmtree(other)


def put(attached: Attached, folder: Path) -> None:
    """Copy the weights of a checkpoint's folder into the method, and what the method keeps beside them."""
    own = attached.trainable()
    saved = load_file(folder / TENSORS) if own else {}
    for name, value in own.items():
        value.data.copy_(saved[name])
    restore(attached, folder)


def best_of(state: Path) -> dict[str, Any]:
    """The lowest validation loss so far of a training in ``state``, and its step."""
    best: dict[str, Any] = read_json(state / BEST / "validation.json")
    return best
