"""Parts of a right-padded batch: some of its examples, and their tokens without the padding."""

from collections.abc import Sequence

import torch


def part_of(batch: dict[str, torch.Tensor], rows: Sequence[int]) -> dict[str, torch.Tensor]:
    """Return some examples of a batch, as long as the longest of them."""
    width = int(batch["attention_mask"][rows].sum(1).max())
    return {name: value[rows, :width] for name, value in batch.items()}


def unpadded(ids: torch.Tensor, mask: torch.Tensor) -> list[list[int]]:
    """Return the tokens of each example that predict one: all but its last one and the padding."""
    return [row[: length - 1] for row, length in zip(ids.tolist(), mask.sum(1).tolist(), strict=True)]
