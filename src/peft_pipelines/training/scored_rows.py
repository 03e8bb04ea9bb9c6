"""The validation examples that are scored, and how often: what their share of the training's cost allows."""

from collections.abc import Sequence
from typing import TypeVar

from peft_pipelines.config import TrainingSpec
from peft_pipelines.data.tokenize import Encoded

Item = TypeVar("Item")

FORWARDS = 2
"""The least that training on a token costs, in forwards of it: the forward, and the gradients behind it."""


def affordable(
    validation: Sequence[Encoded], examples: Sequence[Encoded], training_args: TrainingSpec
) -> tuple[list[Encoded], int]:
    """Return the validation examples that are scored, and at how many of the last evaluations they are.

    All evaluations of a training together cost the forwards of their tokens, the training ``FORWARDS`` times those of
    its own. Where ``validation_cost`` does not allow all, there are fewer evaluations; only where it does not allow
    one, there are fewer examples, at even distances. One example at least is scored once.
    """
    if training_args.validation_cost is None:
        return list(validation), training_args.evaluations
    most = training_args.validation_cost * FORWARDS * training_args.epochs * _tokens(examples)
    times = int(most / _tokens(validation))
    if times:
        return list(validation), min(times, training_args.evaluations)
    shortest = min(_tokens([example]) for example in validation)
    counts = range(min(len(validation), int(most / shortest)), 1, -1)
    return spread(validation, next((count for count in counts if _tokens(spread(validation, count)) <= most), 1)), 1


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """Return so many items at even distances, all where there are no more.

    >>> spread("abcdefgh", 3)
    ['a', 'c', 'f']
    """
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def _tokens(examples: Sequence[Encoded]) -> int:
    return sum(len(example.prompt) + len(example.answer) for example in examples)
