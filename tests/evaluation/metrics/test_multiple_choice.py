"""Picks are those of numpy's argmax, by which lm-evaluation-harness decides (``process_results``, 0.4.13)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from peft_pipelines.evaluation.metrics.multiple_choice import acc, acc_norm, likeliest, likeliest_per_character
from peft_pipelines.evaluation.metrics.registry import METRICS

LOGPROBS = st.one_of(st.floats(-500, 0), st.sampled_from([-1.0, -2.0, -4.0]))
OPTIONS = st.lists(st.tuples(LOGPROBS, st.text(min_size=1, max_size=12)), min_size=1, max_size=6)


@given(OPTIONS)
def test_picks_are_numpys(options: list[tuple[float, str]]) -> None:
    logprobs, texts = zip(*options, strict=True)
    lengths = np.array([float(len(text)) for text in texts])
    assert likeliest(logprobs, texts) == np.argmax(logprobs)
    assert likeliest_per_character(logprobs, texts) == np.argmax(logprobs / lengths)


def test_characters_count_and_not_bytes() -> None:
    assert likeliest_per_character([-3.0, -4.1], ["äöü", "four"]) == 0
    assert likeliest_per_character([-3.3, -4.1], ["äöü", "four"]) == 1


def test_both_are_shares_of_right_picks_in_the_registry() -> None:
    picked, right = ["yes", "no", "no"], [["yes"], ["no"], ["yes"]]
    assert acc(picked, right, ["no", "yes"])["acc"] == acc_norm(picked, right, ["no", "yes"])["acc_norm"] == 2 / 3
    assert METRICS["acc"].pick is likeliest and METRICS["acc_norm"].pick is likeliest_per_character
    assert METRICS["acc"].by_item and METRICS["acc"].primary and METRICS["acc"].cheap
