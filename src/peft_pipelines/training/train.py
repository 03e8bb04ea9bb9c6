"""Training one cell: seeded, resumable, best state by validation."""

import hashlib
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft_pipelines.data import batching, encoded, tokenize
from peft_pipelines.models import forward, token_tree, tree_attention, tree_flex, tree_kernel, tree_mask
from peft_pipelines.training.alone import alone
from peft_pipelines.training.callbacks import finite
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.trainer import BEST, COMPLETE, CellTrainer, TrainingJob, best_of, put


@dataclass(frozen=True)
class Outcome:
    """The result of a training: optimizer steps, the step whose weights were kept, their validation loss, the log.

    ``tokens`` counts prompts and answers of all steps, padding left out. ``validation_loss`` is in nats a token, None
    where there was nothing to train. Each entry of the log has a ``step`` and numbers of it.
    """

    steps: int
    best_step: int
    tokens: int
    validation_loss: float | None
    log: list[dict[str, float]]


def train(model: LabelLogits, job: TrainingJob) -> Outcome:
    """Train the model's method in place; at the end it holds the weights with the lowest validation loss.

    The same arguments give the same weights, bit for bit, on one machine's CPU, in one go or resumed.

    Args:
        model: the method on its clone of the base, in training mode.
        job: the data and settings.

    Raises:
        Diverged: a validation loss is not finite.
    """
    if not model.attached.trainable():
        return Outcome(0, 0, 0, None, [])
    with alone():
        trainer = CellTrainer(model, job)
        result = trainer.train(resume_from_checkpoint=_newest(job.state))
    best = best_of(job.state)
    put(model.attached, job.state / BEST)
    trainer.kept.save(job.state / BEST)  # what has changed behind the best step counts as well
    log = [kept for entry in trainer.state.log_history if (kept := finite(entry))]
    steps = result.global_step
    return Outcome(steps, best["step"], trainer.tokens_of(steps), best["loss"], log)


MODULES = (batching, encoded, tokenize, forward, token_tree, tree_attention, tree_flex, tree_kernel, tree_mask)
"""The modules of other packages that decide a training's numbers."""


def state_digest(*parts: Any) -> str:
    """Hash of all that decides a training: the parts and our own code. A state is resumed under the same one only."""
    code = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    code += [inspect.getsource(module) for module in MODULES]
    text = json.dumps([code, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _newest(state: Path) -> str | None:
    complete = [path.parent for path in state.glob(f"checkpoint-*/{COMPLETE}")]
    newest = max(complete, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
    return str(newest) if newest else None
