"""The validation loss, by which the best weights and the best learning rate are chosen."""

from collections.abc import Callable, Sequence

import torch

from peft_pipelines.data.batching import chunks
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.loss import cross_entropy

Collate = Callable[[Sequence[Encoded]], dict[str, torch.Tensor]]


@torch.no_grad()
def validation_loss(model: LabelLogits, examples: Sequence[Encoded], size: int | None, collate: Collate) -> float:
    """Mean cross entropy in nats over all labelled tokens of a split: one number, not a mean of batches.

    It is the cross entropy whatever loss is trained, so that trainings by several losses can be compared.

    Args:
        model: left in training mode.
        examples: with their answers.
        size: examples a batch, None for all; fewer where the model's ``tokens_per_forward`` asks for it.
        collate: examples to one right-padded batch.
    """
    model.eval()
    total = 0.0
    ordered = sorted(examples, key=lambda example: example.ids)  # packed, what neighbours share runs once
    if not model.shortcuts.packed_batches:
        ordered.sort(key=lambda example: len(example.ids))
    losses = [
        cross_entropy(*model(**part))
        for batch in chunks(ordered, size or len(ordered))
        for part in model.parts(collate(batch), model.tokens_per_forward)
    ]
    for loss in torch.stack(losses).tolist():  # the host waits for a GPU once
        total += loss
    model.train()
    return total / sum(len(example.answer) for example in examples)
