"""Likelihoods behind a shared cache are those of the library's own forward of each whole row."""

import pytest
import tiny
import torch
from tiny import START, prompts, tuned

from peft_pipelines.inference import loglikelihood, packed_prefill
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate, generate_and_score
from peft_pipelines.methods.attached import Attached

END = 259
ONE, THREE, FOUR = [72, END], [9, 101, 44, END], [72, 3, 4, 5, END]
LABELS = [ONE, THREE, FOUR]
PLAIN = {"shared_prefix": False, "packed": False, "batch_size": 1}
CASES = [*tiny.CASES, ("lora", "mistral_window"), ("prefix_tuning", "mistral_window")]


def decoding(**values) -> Decoding:
    usual = {"max_new_tokens": 3, "stop": (END,), "pad": 257, "batch_size": 3, "shared_prefix": True, "packed": True}
    return Decoding(**{**usual, **values})


def naive(attached: Attached, prompt: list[int], tokens: list[int]) -> tuple[float, int]:
    """Log-probability of the tokens behind the prompt and how many are the argmax, by one forward of the whole row."""
    said = tiny.logits(attached.plain, torch.tensor([[*prompt, *tokens]]))[0, -len(tokens) - 1 : -1]
    right = torch.tensor(tokens)
    chances = said.double().log_softmax(-1).gather(-1, right[:, None])
    return chances.sum().item(), int((said.argmax(-1) == right).sum())


def scored(attached: Attached, answers: list[list[list[int]]], **values) -> list[list[tuple[float, int]]]:
    found = generate_and_score(attached, prompts(), decoding(**values), answers)
    return [[(one.logprob, one.greedy) for one in row.likelihoods] for row in found]


def assert_same(found, expected):
    for row, right in zip(found, expected, strict=True):
        assert [hits for _, hits in row] == [hits for _, hits in right]
        assert [value for value, _ in row] == pytest.approx([value for value, _ in right], abs=1e-5, rel=0)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_equals_a_forward_of_the_whole_row(name, family):
    attached = tuned(name, family)
    expected = [[naive(attached, prompt, label) for label in LABELS] for prompt in prompts()]
    assert_same(scored(attached, [LABELS] * 5), expected)
    assert_same(scored(attached, [LABELS] * 5, packed=False), expected)
    assert_same(scored(attached, [LABELS] * 5, **PLAIN), expected)


@pytest.mark.parametrize("name", tiny.METHODS)
def test_the_answers_are_those_without_likelihoods(name):
    attached = tuned(name, "llama")
    found = generate_and_score(attached, prompts(), decoding(), [LABELS] * 5)
    assert [row.tokens for row in found] == generate(attached, prompts(), decoding())


def test_each_row_may_be_asked_for_answers_of_its_own():
    attached = tuned("lora", "llama")
    asked = [[ONE], [], [THREE, [5]], [FOUR], [[7, 8]]]
    expected = [
        [naive(attached, prompt, tokens) for tokens in row] for prompt, row in zip(prompts(), asked, strict=True)
    ]
    assert_same(scored(attached, asked, batch_size=5), expected)


@pytest.mark.parametrize(("positions", "cached"), [(1, 4096), (7, 4096), (256, 1), (256, 40)])
def test_however_many_go_through_the_model_at_once(positions, cached, monkeypatch):
    attached = tuned("prefix_tuning", "llama")
    expected = scored(attached, [LABELS] * 5)
    monkeypatch.setattr(loglikelihood, "POSITIONS", positions)
    monkeypatch.setattr(loglikelihood, "CACHED", cached)
    monkeypatch.setattr(packed_prefill, "POSITIONS", positions)
    assert_same(scored(attached, [LABELS] * 5), expected)
    assert_same(scored(attached, [LABELS] * 5, packed=False), expected)


@pytest.mark.parametrize(
    ("labels", "widths"),
    [([[72], [9]], []), ([ONE, [9, END]], [1]), ([ONE, THREE], [3])],
    ids=["no end of turn", "one token", "several tokens"],
)
def test_the_prompts_run_once_and_all_labels_in_one_forward_behind_them(labels, widths):
    attached, seen = tuned("zero_shot", "llama"), []
    attached.core.model.register_forward_pre_hook(
        lambda _, __, given: seen.append(list(given["input_ids"].shape)), with_kwargs=True
    )
    generate_and_score(attached, prompts(), decoding(batch_size=5, max_new_tokens=1, packed=False), [labels] * 5)
    assert seen == [[1, 5], [5, 9], *([5 * len(labels), width] for width in widths)]


@pytest.mark.parametrize(("labels", "branches"), [([[72], [9]], 0), ([ONE, [9, END]], 2), ([ONE, THREE], 4)])
def test_packed_prompts_and_all_labels_are_one_forward(labels, branches):
    attached, seen = tuned("zero_shot", "llama"), []
    attached.core.model.register_forward_pre_hook(
        lambda _, __, given: seen.append(list(given["input_ids"].shape)), with_kwargs=True
    )
    generate_and_score(attached, prompts(), decoding(batch_size=5, max_new_tokens=1), [labels] * 5)
    tails = sum(len(prompt) - len(START) for prompt in prompts())
    assert seen == [[1, len(START) + tails + 5 * branches]]


def test_the_chances_of_all_answers_of_one_token_add_up_to_one():
    attached = tuned("lora", "llama")
    (row,) = generate_and_score(attached, [START], decoding(), [[[token] for token in range(tiny.WORDS)]])
    assert torch.tensor([one.logprob for one in row.likelihoods]).exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert [one.greedy for one in row.likelihoods].count(1) == 1


def test_what_the_model_would_say_is_all_right():
    attached = tuned("lora", "llama")
    said = generate(attached, prompts(), decoding(max_new_tokens=6))
    for row, tokens in zip(
        generate_and_score(attached, prompts(), decoding(), [[each] for each in said]), said, strict=True
    ):
        assert row.likelihoods[0].greedy == row.likelihoods[0].tokens == len(tokens)


def test_a_base_in_half_precision_is_scored_in_single():
    attached = Attached(tiny.METHODS["zero_shot"], *[tiny.fresh("llama", torch.bfloat16)] * 2, None)
    found = scored(attached, [LABELS] * 5)
    expected = scored(tuned("zero_shot", "llama"), [LABELS] * 5)
    for row, right in zip(found, expected, strict=True):
        assert [value for value, _ in row] == pytest.approx([value for value, _ in right], rel=0.1)


def test_few_positions_at_once_give_the_same_likelihoods(monkeypatch):
    attached = tuned("lora", "llama")
    usual, sizes, real = scored(attached, [LABELS] * 5), [], packed_prefill.token_logprobs
    monkeypatch.setattr(packed_prefill, "AT_ONCE", 4)
    monkeypatch.setattr(
        packed_prefill, "token_logprobs", lambda logits, tokens: sizes.append(logits.shape[1]) or real(logits, tokens)
    )
    assert_same(scored(attached, [LABELS] * 5), usual)
    assert max(sizes) == 4
    assert sum(sizes) == 5 * sum(map(len, LABELS))
