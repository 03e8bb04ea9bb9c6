"""Draws the tokens of an answer, by the logits processors of transformers."""

from collections.abc import Sequence
from typing import Final

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from peft_pipelines.serving.sampling_options import Sampling

COLDEST: Final = 1e-30
"""The likeliest token alone is drawn here and below it, where logits divided by it would be no numbers any more."""


class Sampler:
    """Draws one token after the other, by a generator of its own.

    Args:
        sampling: the options.
        prompt: the prompt's tokens, which transformers' processors are given.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self._generator = torch.Generator().manual_seed(sampling.seed)  # of the CPU: it draws alike on every device
        self._prompt = torch.tensor([list(prompt)])
        warpers: list[LogitsProcessor] = [TemperatureLogitsWarper(max(sampling.temperature, COLDEST))]
        if sampling.top_k is not None:
            warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p is not None:
            warpers.append(TopPLogitsWarper(sampling.top_p))
        self._warped = LogitsProcessorList(warpers)

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token, (1,), of logits (1, vocabulary)."""
        warped = self._warped(self._prompt, logits.detach().float().cpu())
        return torch.multinomial(warped.softmax(-1), 1, generator=self._generator)[:, 0].to(logits.device)
