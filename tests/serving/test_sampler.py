"""Tokens are drawn by the distribution that temperature, top-k and top-p leave, and alike for a seed."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from tiny import prompts, tuned

from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.streaming import stream
from peft_pipelines.serving.sampler import Sampler
from peft_pipelines.serving.sampling_options import Sampling

SHARES = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
DRAWS = 4000


def drawn(**options: float) -> Counter[int]:
    sampler = Sampler(Sampling(**options), [1, 2])  # type: ignore[arg-type]
    return Counter(int(sampler(SHARES.log())) for _ in range(DRAWS))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"temperature": 1.0}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 0.5}, [0.685, 0.247, 0.062, 0.007]),
        ({"temperature": 1e-9}, [1, 0, 0, 0]),
        ({"temperature": 1e-300}, [1, 0, 0, 0]),
        ({"temperature": 1.0, "top_k": 2}, [0.625, 0.375, 0, 0]),
        ({"temperature": 1.0, "top_p": 0.75}, [0.625, 0.375, 0, 0]),
    ],
)
def test_tokens_have_the_shares_of_the_distribution(options: dict[str, float], expected: list[float]) -> None:
    found = drawn(**options)
    assert [found[token] / DRAWS for token in range(4)] == pytest.approx(expected, abs=0.03)
    assert all((found[token] > 0) == (share > 0) for token, share in enumerate(expected))


def test_a_seed_draws_the_same_again_and_another_one_does_not() -> None:
    def tokens(seed: int) -> list[int]:
        sampler = Sampler(Sampling(temperature=1.0, seed=seed), [1])
        return [int(sampler(SHARES.log())) for _ in range(50)]

    assert tokens(3) == tokens(3) != tokens(4)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("most", [1, 6])
def test_the_likeliest_token_alone_is_the_greedy_answer(packed: bool, most: int) -> None:
    attached = tuned("lora", "llama")
    options = Decoding(most, stop=(9999,), pad=257, batch_size=3, shared_prefix=True, packed=packed)
    for prompt in prompts():
        first = next(stream(attached, prompt, options))
        for each in (options, replace(options, stop=(first,))):
            chosen = Sampler(Sampling(temperature=1.0, top_k=1), prompt)
            assert list(stream(attached, prompt, each, chosen)) == list(stream(attached, prompt, each))
