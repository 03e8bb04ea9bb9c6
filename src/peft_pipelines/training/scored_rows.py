"""The validation examples that are scored: as many as their share of the training's cost allows."""

from collections.abc import Sequence
from typing import TypeVar

from peft_pipelines.config import TrainingSpec
from peft_pipelines.data.encoded import Encoded

Item = TypeVar("Item")

FORWARDS = 2
"""The least that training on a token costs, in forwards of it: the forward, and the gradients behind it."""


def affordable(
    validation: Sequence[Encoded], examples: Sequence[Encoded], training_args: TrainingSpec
) -> list[Encoded]:
    """Return the validation examples that are scored: at even distances, as many as ``validation_cost`` allows.

    All evaluations of a training together cost the forwards of their tokens, the training ``FORWARDS`` times those of
    its own. One example at least is scored.
    """
    if training_args.validation_cost is None:
        return list(validation)
    training = FORWARDS * training_args.epochs * _tokens(examples)
    most = training_args.validation_cost * training / training_args.evaluations
    shortest = min(_tokens([example]) for example in validation)
    counts = range(min(len(validation), int(most / shortest)), 1, -1)
    return spread(validation, next((count for count in counts if _tokens(spread(validation, count)) <= most), 1))


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """Return so many items at even distances, all where there are no more.

    >>> spread("abcdefgh", 3)
    ['a', 'c', 'f']
    """
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def _tokens(examples: Sequence[Encoded]) -> int:
    return sum(len(example.prompt) + len(example.answer) for example in examples)
