"""What may be asked for where answers are drawn, and how it is refused."""

from typing import Any

import pytest

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.sampling_options import Sampling, sampling_of


def test_without_a_temperature_answers_are_greedy() -> None:
    assert sampling_of({}) is None
    assert sampling_of({"temperature": None, "top_p": None}) is None
    assert sampling_of({"temperature": 0.5, "top_k": None}) == Sampling(temperature=0.5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"top_k": 3}, "--top_k: is for answers with a temperature, got 3 without one"),
        ({"temperature": 0.0}, "--temperature: must be greater than 0, got 0.0"),
        ({"temperature": 101.0}, "--temperature: must be less than or equal to 100, got 101.0"),
        ({"temperature": float("inf")}, "--temperature: must be a finite number, got inf"),
        ({"temperature": 1.0, "top_p": 1.5}, "--top_p: must be less than or equal to 1, got 1.5"),
        ({"temperature": 1.0, "top_k": 0}, "--top_k: must be greater than or equal to 1, got 0"),
        ({"temperature": 1.0, "seed": -1}, "--seed: must be greater than or equal to 0, got -1"),
    ],
)
def test_a_mistake_names_value_and_rule(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sampling_of(values, lambda name: f"--{name}")
    assert str(caught.value) == words


def test_answers_of_a_seed_have_seeds_of_their_own() -> None:
    last = Sampling(temperature=1.0, seed=2**32 - 1)
    assert [last.nth(number).seed for number in (0, 1, 2)] == [2**32 - 1, 0, 1]
