"""How many validation examples are scored: what their forwards cost beside the training, by counting tokens."""

import pytest
import tiny

from peft_pipelines.data.encoded import Encoded
from peft_pipelines.training.scored_rows import affordable


def examples(count: int, tokens: int = 10) -> list[Encoded]:
    return [Encoded([number] * (tokens - 2), [1, 2], False) for number in range(count)]


def scored(training: int, **values) -> int:
    training_args = tiny.training_args(**{"epochs": 1, "evaluations": 3, "validation_cost": 0.25, **values})
    return len(affordable(examples(64), examples(training), training_args))


def test_the_default_costs_a_quarter_of_the_training():
    assert tiny.training_args().validation_cost == 0.25
    assert scored(144) == 24
    assert 3 * 24 == 0.25 * 2 * 144


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({"evaluations": 1}, 64),
        ({"evaluations": 2}, 36),
        ({"epochs": 2}, 48),
        ({"epochs": 3}, 64),
        ({"validation_cost": 0.125}, 12),
        ({"validation_cost": None}, 64),
        ({"validation_cost": 0.001}, 1),
    ],
)
def test_fewer_evaluations_longer_training_or_a_higher_share_score_more(values, count):
    assert scored(144, **values) == count


def test_tokens_count_not_examples():
    training_args = tiny.training_args(epochs=1, evaluations=1, validation_cost=0.5)
    assert len(affordable(examples(30, tokens=40), examples(10), training_args)) == 2
    few_long = [*examples(1, tokens=100), *examples(9)]
    chosen = affordable(few_long, examples(10), training_args)
    assert sum(len(example.ids) for example in chosen) <= 100
    assert len(chosen) == 1


def test_those_that_are_scored_stand_at_even_distances():
    training_args = tiny.training_args(epochs=1, evaluations=1, validation_cost=0.25)
    chosen = affordable(examples(40), examples(20), training_args)
    assert [example.prompt[0] for example in chosen] == list(range(0, 40, 4))
