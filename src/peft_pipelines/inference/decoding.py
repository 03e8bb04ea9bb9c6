"""The options of greedy generation, and which attention prompts run by under them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from transformers import DynamicCache

from peft_pipelines.config import TrainingSpec
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.token_tree import packing_refused
from peft_pipelines.models.tree_kernel import attention_name, flex_refused

Tokens = Sequence[int]


@dataclass(frozen=True)
class Decoding:
    """The options of greedy generation.

    Attributes:
        max_new_tokens: the most tokens of an answer, the stop token included.
        stop: the tokens that end an answer.
        pad: the padding token's id; any will do.
        batch_size: the most prompts of a batch.
        shared_prefix: whether tokens that all prompts begin with are run once.
        packed: whether prompts and given answers are run as trees of tokens, without padding.
        flex: whether these trees run by FlexAttention, where it can.
    """

    max_new_tokens: int
    stop: tuple[int, ...]
    pad: int
    batch_size: int
    shared_prefix: bool
    packed: bool
    flex: bool = False

    @classmethod
    def of(cls, training_args: TrainingSpec, most: int, stop: tuple[int, ...], pad: int) -> "Decoding":
        """Return the options under training arguments with all sizes set, of answers of at most ``most`` tokens."""
        assert training_args.generation_batch_size
        return cls(
            most,
            stop,
            pad,
            training_args.generation_batch_size,
            training_args.shared_prefix,
            training_args.packed_batches,
            training_args.flex_attention,
        )

    def ended(self, tokens: Sequence[int]) -> bool:
        """Whether an answer of at least one token is complete."""
        return tokens[-1] in self.stop or len(tokens) == self.max_new_tokens


def attention_of(
    attached: Attached, prompts: Sequence[Tokens], decoding: Decoding, answers: Sequence[Sequence[Tokens]]
) -> str:
    """Return the name in ``tree_kernel`` of the attention that prompts and their given answers run by.

    Rows that may outgrow a sliding window are not packed.
    """
    packed = decoding.packed and not packing_refused(attached)
    packed = packed and not outgrows_window(attached, prompts, decoding.max_new_tokens, answers)
    flex = packed and decoding.flex and not flex_refused(attached.core, attached.precision)
    return attention_name(attached.core, packed=packed, flex=flex)


def outgrows_window(
    attached: Attached, prompts: Sequence[Tokens], most: int, answers: Sequence[Sequence[Tokens]]
) -> bool:
    """Return whether a prompt with its answer may be longer than the shortest sliding window of the model's layers.

    Args:
        attached: the method on its clone of the base; its soft prompt counts.
        prompts: each prompt's tokens.
        most: the most tokens of an answer that is generated.
        answers: for each prompt the given answers as tokens.
    """
    before = attached.method.virtual_tokens if attached.start else 0
    longest = before + max(map(len, prompts)) + max(most, *map(len, chain(*answers)), 0)
    layers = DynamicCache(config=attached.core.config).layers
    return longest > min((layer.sliding_window for layer in layers if layer.is_sliding), default=sys.maxsize)
