"""Trainings of a few seconds on a tiny model, to be compared, interrupted and resumed."""

import os
import signal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import tiny
import torch
from transformers import TrainerCallback

from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.branches import branches
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.loss import cross_entropy
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.train import Outcome, train
from peft_pipelines.training.trainer import CellTrainer, TrainingJob

START = [17, 5, 99, 200, 31]
QUICK = {"epochs": 3, "batch_size": 4, "learning_rate": 0.02, "evaluations": 4}


def rows(count: int = 22, seed: int = 3) -> list[Encoded]:
    """Rows of 6 to 17 prompt tokens whose answer follows from the first one: there is something to learn."""
    texts = tiny.ids(16, rows=count, seed=seed).tolist()
    return [Encoded(START + text[: 1 + number % 12], [text[0] % 3, 256], False) for number, text in enumerate(texts)]


VALIDATION = rows(6, seed=4)


def model_of(name: str, seed: int = 0, family: str = "llama", **values) -> LabelLogits:
    attached = tiny.attach(name, family, seed)
    attached.plain.train()
    prefix = shared_prefix([row.prompt for row in rows() + VALIDATION])
    return LabelLogits(attached, Shortcuts.of(attached, training_args(**values)), prefix)


def mean_loss(model: LabelLogits, batch: dict[str, torch.Tensor], count: int | None = None) -> torch.Tensor:
    """Mean cross entropy over a batch's labelled tokens, or their sum divided by ``count``."""
    logits, targets = model(**batch)
    return cross_entropy(logits, targets) / (len(targets) if count is None else count)


def step_in_branches(
    attached: Attached, examples: list[Encoded], start: int, tokens: int, *, flex: bool
) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of a batch whose examples begin alike, in branches of at most so many tokens."""
    model = LabelLogits(attached, Shortcuts(True, False, False, False, False, "", flex, {}), [])
    tree = branches([row.ids[:-1] for row in examples], [start] * len(examples), tokens)
    total, count = 0.0, sum(len(row.answer) for row in examples)
    for part in model.running(collate(examples, pad=257), tree):
        loss = mean_loss(model, part, count)
        total += loss.item()
        loss.backward()
    found = {name: value.grad.clone() for name, value in attached.trainable().items()}
    attached.plain.zero_grad()
    return total, found


def training_args(**values):
    return tiny.training_args(**{**QUICK, **values})


def run(state: Path, name: str = "lora", seed: int = 0, **values) -> tuple[LabelLogits, Outcome]:
    model = model_of(name, seed, **values)
    return model, train(model, TrainingJob(rows(), VALIDATION, training_args(**values), seed, 257, state))


@cache
def uninterrupted(name: str = "lora") -> tuple[dict[str, bytes], Outcome]:
    """The files and the outcome of a training in one go, made once a process: the seed decides every byte of it."""
    with TemporaryDirectory() as folder:
        model, outcome = run(Path(folder) / "state", name)
        return saved(model, Path(folder) / "saved"), outcome


def saved(model: LabelLogits, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    providers.save(model.attached, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Stop(TrainerCallback):
    """Ends the process, or raises, when a step is done."""

    def __init__(self, at: int, kill: bool = False) -> None:
        self.at, self.kill = at, kill

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == self.at and self.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        if state.global_step == self.at:
            raise KeyboardInterrupt


def interrupt(state: Path, at: int, name: str = "lora", kill: bool = False, **values) -> None:
    trainer = CellTrainer(
        model_of(name, **values), TrainingJob(rows(), VALIDATION, training_args(**values), 0, 257, state)
    )
    trainer.add_callback(Stop(at, kill))
    trainer.train()
