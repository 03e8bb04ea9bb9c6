"""How many validation examples are scored: what their forwards cost beside the training, by counting tokens."""

import pytest
import tiny

from peft_pipelines.data.tokenize import Encoded
from peft_pipelines.training.scored_rows import affordable


def examples(count: int, tokens: int = 10) -> list[Encoded]:
    return [Encoded([number] * (tokens - 2), [1, 2], False) for number in range(count)]


def scored(training: int, **values) -> tuple[int, int]:
    training_args = tiny.training_args(**{"epochs": 1, "evaluations": 3, "validation_cost": 0.25, **values})
    chosen, times = affordable(examples(64), examples(training), training_args)
    return len(chosen), times


def test_the_default_costs_a_quarter_of_the_training_at_most():
    assert (tiny.training_args().validation_cost, tiny.training_args().evaluations) == (0.25, 3)
    assert scored(144) == (64, 1)
    assert 64 <= 0.25 * 2 * 144


@pytest.mark.parametrize(
    ("training", "values", "expected"),
    [
        (144, {"epochs": 2}, (64, 2)),
        (144, {"epochs": 3}, (64, 3)),
        (512, {}, (64, 3)),
        (512, {"evaluations": 1}, (64, 1)),
        (144, {"validation_cost": None}, (64, 3)),
        (144, {"validation_cost": 1.0}, (64, 3)),
        (100, {}, (50, 1)),
        (144, {"validation_cost": 0.125}, (36, 1)),
        (144, {"validation_cost": 0.001}, (1, 1)),
    ],
)
def test_there_are_fewer_evaluations_before_there_are_fewer_examples(training, values, expected):
    assert scored(training, **values) == expected


def test_tokens_count_not_examples():
    training_args = tiny.training_args(epochs=1, evaluations=1, validation_cost=0.5)
    assert len(affordable(examples(30, tokens=40), examples(10), training_args)[0]) == 2
    few_long = [*examples(1, tokens=100), *examples(9)]
    assert len(affordable(few_long, examples(10), training_args)[0]) == 1


def test_those_that_are_scored_stand_at_even_distances():
    training_args = tiny.training_args(epochs=1, evaluations=1, validation_cost=0.25)
    chosen, _ = affordable(examples(40), examples(20), training_args)
    assert [example.prompt[0] for example in chosen] == list(range(0, 40, 4))
