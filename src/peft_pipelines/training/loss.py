"""The losses that a training row may name: ``loss: {type: label_smoothing, smoothing: 0.1}``.

A loss takes the logits (labels, vocabulary) in fp32 that predict the labelled tokens of a batch and these tokens
(labels), and returns the sum over them in nats. The trainer divides it by their number. Keyword-only parameters are
the options that the row gives, each of them checked by its annotation.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from pydantic import create_model
from torch.nn import functional

from peft_pipelines.config import MethodSpec, Spec, TrainingSpec, parse
from peft_pipelines.config.errors import unknown
from peft_pipelines.config.spec import Share

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the negative log-likelihoods of the targets."""
    return functional.cross_entropy(logits, targets, reduction="sum")


def label_smoothing(logits: torch.Tensor, targets: torch.Tensor, *, smoothing: Share) -> torch.Tensor:
    """Cross entropy with targets that give ``smoothing`` of their weight to all tokens alike (Szegedy et al. 2016)."""
    return functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "cross_entropy": cross_entropy,
    "label_smoothing": label_smoothing,
}
"""By the name that a row gives as ``type``."""


def loss_of(training_args: TrainingSpec, method: MethodSpec) -> Loss:
    """Return the loss that the training arguments name, with its options set.

    Args:
        training_args: with the method's own values in them.
        method: named in the error where its row chooses the loss.

    Raises:
        ConfigError: the type is unknown; an option is unknown, missing or out of its range.
    """
    where = f"method '{method.name}', training, loss" if "loss" in method.training else "training, loss"
    options = dict(training_args.loss)
    name = str(options.pop("type", None))
    if name not in LOSSES:
        raise unknown(where, "type", name, LOSSES)
    return partial(LOSSES[name], **parse(options_of(LOSSES[name]), where, options).model_dump())


def options_of(loss: Callable[..., torch.Tensor]) -> type[Spec]:
    parameters = inspect.signature(loss).parameters.values()
    fields: dict[str, Any] = {
        option.name: (option.annotation, ...) for option in parameters if option.kind is option.KEYWORD_ONLY
    }
    return create_model(loss.__name__, __base__=Spec, **fields)
