"""A check that a tuned model answers from the tokens before a place alone, as training on next tokens needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from peft_pipelines.config.errors import ConfigError

LENGTH = 8
SPREAD = 0.1
"""Standard deviation of what is added to the trainable parameters, so that a start at the base does not hide them."""
ROUNDING = {torch.float32: 1e-3}
HALF_ROUNDING = 5e-2
"""The largest difference that counts as rounding, as a share of the largest logit."""


def check_causal(where: str, plain: nn.Module, vocabulary: int, dtype: torch.dtype, device: torch.device) -> None:
    """Raise ConfigError where logits change with tokens behind them, or with the row beside theirs.

    Two rows of eight tokens with the same first half are run together, and the first of them alone. A model without
    values, on the device meta, is not looked at.
    """
    if device.type == "meta":
        return
    first = torch.arange(1, 1 + LENGTH)
    other = torch.where(first > LENGTH // 2, first + LENGTH, first)
    rows = torch.stack((first, other)).to(device) % vocabulary
    with _stirred(plain), torch.no_grad(), torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        together, alone = (_logits(plain, part) for part in (rows, rows[:1]))
    within = ROUNDING.get(dtype, HALF_ROUNDING) * together.abs().max().item()
    if (together[0, : LENGTH // 2] - together[1, : LENGTH // 2]).abs().max() > within:
        raise ConfigError(f"{where}: an answer changes with tokens behind it, so it cannot be trained on next tokens")
    if (together[:1] - alone).abs().max() > within:
        raise ConfigError(f"{where}: an answer changes with the row beside it in a batch")


def _logits(plain: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = plain(input_ids=rows, attention_mask=torch.ones_like(rows)).logits
    return found.float()[:, -rows.shape[1] :]


@contextmanager
def _stirred(plain: nn.Module) -> Iterator[None]:
    """The model in eval mode with other values of what is trained; everything is as before afterwards."""
    modes = [(module, module.training) for module in plain.modules()]
    trained = [(value, value.data) for value in plain.parameters() if value.requires_grad]
    draw = torch.Generator().manual_seed(0)
    plain.eval()
    for value, old in trained:  # another tensor: what is trained may be the base's own
        value.data = old + SPREAD * torch.randn(old.shape, generator=draw).to(old)
    try:
        yield
    finally:
        for value, old in trained:
            value.data = old
        for module, mode in modes:
            module.training = mode
