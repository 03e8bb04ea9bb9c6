"""A training of four steps, in one go and in two parts: both must end at the same bytes."""

from pathlib import Path

import placed
import pytest
import tiny
import torch
from small_trainings import START, VALIDATION, Stop, rows, saved

from peft_pipelines.config import MethodSpec
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.train import train
from peft_pipelines.training.trainer import BEST, CellTrainer, TrainingJob, put

QUICK = {"epochs": 1, "batch_size": 6, "learning_rate": 0.02, "evaluations": 2}


def made(method: MethodSpec, family: str, device: str = "cpu") -> LabelLogits:
    attached = providers.attach(base_model.clone(placed.base(family, torch.float32, device)), method, 0)
    attached.plain.train()
    return LabelLogits(attached, Shortcuts.of(attached, tiny.training_args(**QUICK)), START)


def job(state: Path) -> TrainingJob:
    return TrainingJob(rows(), VALIDATION, tiny.training_args(**QUICK), 0, 257, state)


def resumes(method: MethodSpec, family: str, folder: Path, device: str = "cpu") -> None:
    """Four steps in one go; four in two parts; and the best state of the first put into a fresh instance."""
    whole, resumed, fresh = (made(method, family, device) for _ in range(3))
    train(whole, job(folder / "whole"))
    cut = CellTrainer(made(method, family, device), job(folder / "cut"))
    cut.add_callback(Stop(3))
    with pytest.raises(KeyboardInterrupt):
        cut.train()
    train(resumed, job(folder / "cut"))
    put(fresh.attached, folder / "whole" / BEST)
    expected = saved(whole, folder / "a")
    assert saved(resumed, folder / "b") == expected
    assert saved(fresh, folder / "c") == expected
