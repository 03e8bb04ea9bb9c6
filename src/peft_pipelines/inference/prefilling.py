"""How the first forwards of all prompts are run: packed as trees of tokens or as padded rows, and in which batches."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from peft_pipelines.data.batching import chunks, split_batch
from peft_pipelines.inference.decoding import Decoding, attention_of, outgrows_window
from peft_pipelines.inference.loglikelihood import Answers, Prefilling
from peft_pipelines.inference.packed_prefill import packed
from peft_pipelines.inference.padded_prefill import padded
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.tree_kernel import FLEX, ROWS

TOKENS = 32 * 512
"""Most tokens of a batch, rows times the longest prompt, whatever its size: bounds the memory of long prompts."""


def prefilling(
    attached: Attached, prompts: Sequence[Sequence[int]], answers: Answers, decoding: Decoding
) -> tuple[Prefilling, Iterator[list[int]]]:
    """Return the function that runs a batch of the prompts with their answers, and the numbers of each batch's prompts.

    Args:
        attached: the method on its clone of the base, ready to generate.
        prompts: each prompt's tokens.
        answers: for each prompt the given answers as tokens, none where no likelihood is wanted.
        decoding: the options; ``packed`` holds where the method, the model and its sliding window allow it.
    """
    kernel = attention_of(attached, prompts, decoding, answers)
    if kernel != ROWS:
        prefill = packed(attached, prompts, answers, decoding.ended, flex=kernel == FLEX)
        return prefill, _alike(prompts, decoding.batch_size)
    shared = decoding.shared_prefix and "shared_prefix" not in attached.refuses
    prefill = padded(attached, prompts, answers, decoding.pad, shared=shared)
    alone = outgrows_window(attached, prompts, decoding.max_new_tokens, answers)
    return prefill, _batches(list(map(len, prompts)), decoding.batch_size, padded=not alone)


def _alike(prompts: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Row numbers in batches of prompts that begin alike, bounded as others are."""
    order = sorted(range(len(prompts)), key=lambda row: list(prompts[row]))
    for batch in chunks(order, size):
        yield from (
            [batch[place] for place in part] for part in split_batch([len(prompts[row]) for row in batch], TOKENS)
        )


def _batches(lengths: Sequence[int], size: int, *, padded: bool) -> Iterator[list[int]]:
    """Row numbers in batches of like length; of equal length unless they may be padded.

    >>> list(_batches([3, 1, 3, 2], 2, padded=True)), list(_batches([3, 1, 3, 2], 2, padded=False))
    ([[1, 3], [0, 2]], [[1], [3], [0, 2]])
    """
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    for _, group in groupby(order, key=lambda row: 0 if padded else lengths[row]):
        rows = list(group)
        for batch in chunks(rows, size):
            yield from (
                [batch[place] for place in part] for part in split_batch([lengths[row] for row in batch], TOKENS)
            )
