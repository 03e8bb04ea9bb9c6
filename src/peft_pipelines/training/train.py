"""Training one cell: seeded, resumable, best state by validation."""

import hashlib
import inspect
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft_pipelines.config import TrainingSpec
from peft_pipelines.data import batching, tokenize
from peft_pipelines.data.tokenize import Encoded
from peft_pipelines.training import callbacks, galore, optimizers
from peft_pipelines.training import loss as objectives
from peft_pipelines.training import trainer as trainers
from peft_pipelines.training import validation as validating
from peft_pipelines.training.loss import Objective
from peft_pipelines.training.trainer import BEST, COMPLETE, CellTrainer, best_of, put


@dataclass(frozen=True)
class Outcome:
    """What training came to: steps run, the step whose weights were kept, tokens run, loss of these weights, the log.

    Tokens are those of prompt and answer, padding left out; the loss is that of the validation rows, None where there
    was nothing to train; the log has numbers by step.
    """

    steps: int
    best_step: int
    tokens: int
    validation_loss: float | None
    log: list[dict[str, float]]


def train(
    objective: Objective,
    rows: Sequence[Encoded],
    validation: Sequence[Encoded],
    training_args: TrainingSpec,
    seed: int,
    pad: int,
    state: Path,
    phase: str = "train",
) -> Outcome:
    """Train the objective's method in place, from the newest complete state in ``state`` if there is one.

    At the end the method holds the weights with the lowest validation loss. The same arguments give the same weights,
    bit for bit, on one machine's CPU, in one go or resumed. ``phase`` is what progress calls it.

    Raises:
        Diverged: a validation loss is no number.
    """
    if not objective.attached.trainable():
        return Outcome(0, 0, 0, None, [])
    trainer = CellTrainer(objective, rows, validation, training_args, seed, pad, state, phase)
    result = trainer.train(resume_from_checkpoint=_newest(state))
    best = best_of(state)
    put(objective.attached, state / BEST)
    log = [
        {key: value for key, value in entry.items() if key in LOGGED and math.isfinite(value)}
        for entry in trainer.state.log_history
    ]
    log = [entry for entry in log if len(entry) > 1]
    steps = result.global_step
    return Outcome(steps, best["step"], trainer.tokens_of(steps), best["loss"], log)


LOGGED = ("step", "loss", "grad_norm", "learning_rate", "validation_loss")


def state_digest(*parts: Any) -> str:
    """A short name for everything that decides a training, our own code included: no state is resumed by another's."""
    code = [inspect.getsource(module) for module in (sys.modules[__name__], *DECIDES)]
    text = json.dumps([code, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


DECIDES = (trainers, callbacks, optimizers, galore, objectives, validating, batching, tokenize)


def _newest(state: Path) -> str | None:
    complete = [path.parent for path in state.glob(f"checkpoint-*/{COMPLETE}")]
    newest = max(complete, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
    return str(newest) if newest else None
