"""A streamed answer is the generated one, whatever method and model; nothing of it is left between tokens."""

import pytest
import tiny
import torch
from tiny import prompts, tuned

from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate
from peft_pipelines.inference.streaming import pieces, stream

NEVER = (9999,)


def decoding(**values: object) -> Decoding:
    usual = {"max_new_tokens": 6, "stop": NEVER, "pad": 257, "batch_size": 3, "shared_prefix": True, "packed": True}
    return Decoding(**{**usual, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "family"),
    [("zero_shot", "gpt2"), ("lora", "llama"), ("prefix_tuning", "llama"), ("bottleneck", "qwen2"), ("lora", "gemma3")],
)
@pytest.mark.parametrize("packed", [True, False])
def test_what_is_streamed_is_what_is_generated(name: str, family: str, packed: bool) -> None:
    attached, options = tuned(name, family), decoding(packed=packed)
    expected = generate(attached, prompts(), options)
    assert [list(stream(attached, prompt, options)) for prompt in prompts()] == expected


def test_a_stop_token_ends_the_answer_and_is_part_of_it() -> None:
    attached = tuned("lora", "llama")
    whole = list(stream(attached, prompts()[0], decoding()))
    stopped = list(stream(attached, prompts()[0], decoding(stop=(whole[2],))))
    assert stopped == whole[: whole.index(whole[2]) + 1]


def test_between_two_tokens_the_caller_computes_as_ever() -> None:
    attached = tuned("lora", "llama")
    usual = attached.core.config._attn_implementation
    for _ in stream(attached, prompts()[0], decoding()):
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        assert attached.core.config._attn_implementation == usual
    assert tiny.losses_of(tiny.attach("lora", "llama"), tiny.ids(6), steps=1)


def test_two_streams_go_on_by_turns() -> None:
    one, other = tuned("lora", "llama"), tuned("ia3", "llama")
    alone = [list(stream(each, prompts()[0], decoding())) for each in (one, other)]
    together = zip(*(stream(each, prompts()[0], decoding()) for each in (one, other)), strict=True)
    assert [list(each) for each in zip(*together, strict=True)] == alone


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "ab", "ab", "abc"], ["a", "b", "c"]),
        (["\ufffd", "\ufffd", "日", "日\ufffd"], ["日", "\ufffd"]),
        ([], []),
        ([""], []),
    ],
)
def test_pieces_are_whole_characters(texts: list[str], expected: list[str]) -> None:
    assert list(pieces(iter(texts))) == expected
