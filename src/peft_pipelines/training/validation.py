"""The loss on a split's rows, by which the best weights and the best learning rate are chosen."""

from collections.abc import Callable, Sequence

import torch

from peft_pipelines.data.batching import cut, within
from peft_pipelines.data.tokenize import Encoded
from peft_pipelines.models.base_model import device
from peft_pipelines.training.loss import Objective

Collate = Callable[[Sequence[Encoded]], dict[str, torch.Tensor]]


@torch.no_grad()
def validation_loss(objective: Objective, rows: Sequence[Encoded], size: int, collate: Collate) -> float:
    """Mean loss over all labelled tokens of the rows: one number for the split, not a mean of batches.

    Args:
        objective: the method; in training mode afterwards.
        rows: with their answers.
        size: rows a batch, fewer where the objective's ``tokens_per_forward`` asks for it.
        collate: rows to one right-padded batch.
    """
    objective.eval()
    total = 0.0
    for batch in cut(sorted(rows, key=lambda row: len(row.ids)), size):
        for part in within([len(row.ids) for row in batch], objective.tokens_per_forward):
            tensors = {name: value.to(device()) for name, value in collate([batch[row] for row in part]).items()}
            total += float(objective(**tensors, num_items_in_batch=1)["loss"])
    objective.train()
    return total / sum(len(row.answer) for row in rows)
