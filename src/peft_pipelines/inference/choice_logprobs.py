"""Log-likelihoods of continuations behind their contexts, without an answer: one forward for all of an example's."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from peft_pipelines.data.continuations import Continued
from peft_pipelines.files import progress
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.prefilling import prefilling
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast


@torch.no_grad()
def continuation_logprobs(attached: Attached, asked: Sequence[Continued], decoding: Decoding) -> list[list[float]]:
    """Return the log-likelihood of each continuation of each example: natural logarithms, summed over its tokens.

    Args:
        attached: the method on its clone of the base, ready to generate.
        asked: the examples' contexts and continuations.
        decoding: how batches are made; nothing is decoded.
    """
    contexts, continuations = [each.context for each in asked], [each.continuations for each in asked]
    found: dict[int, list[float]] = {}
    with autocast(attached.core, attached.precision):
        prefill, batches = prefilling(attached, contexts, continuations, replace(decoding, max_new_tokens=1))
        for rows in batches:
            _, scored = prefill(rows)
            found.update(zip(rows, ([each.logprob for each in options] for options in scored), strict=True))
            progress.step("generate", len(found), len(asked))
    return [found[row] for row in range(len(asked))]


def logprob_fields(
    attached: Attached, asked: Sequence[Continued], decoding: Decoding, rows: int
) -> list[dict[str, list[float]]]:
    """Return for each of some rows the field of its prediction, ``choice_logprobs``; none where nothing is asked."""
    if not asked:
        return [{} for _ in range(rows)]
    return [{"choice_logprobs": found} for found in continuation_logprobs(attached, asked, decoding)]
