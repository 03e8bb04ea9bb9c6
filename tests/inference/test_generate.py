"""Batched, left-padded, cached greedy decoding behind a shared prefix says what an uncached forward of one row says."""

import pytest
import tiny
import torch
from tiny import START, prompts, tuned

from peft_pipelines.inference import generate as generation
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate, generate_and_score
from peft_pipelines.methods.attached import Attached

NEVER = (9999,)
NEW = 6


def decoding(**values) -> Decoding:
    usual = {"max_new_tokens": NEW, "stop": NEVER, "pad": 257, "batch_size": 3, "shared_prefix": True, "packed": True}
    return Decoding(**{**usual, **values})


def uncached(attached: Attached, prompt: list[int], tokens: int = NEW) -> list[int]:
    """The argmax of the library's own full forward, again for each token."""
    text = torch.tensor([prompt])
    for _ in range(tokens):
        text = torch.cat([text, tiny.logits(attached.plain, text)[:, -1:].argmax(-1)], dim=1)
    return text[0, len(prompt) :].tolist()


CASES = [*tiny.CASES, ("lora", "mistral_window")]


@pytest.mark.parametrize(("name", "family"), CASES)
def test_batched_is_unbatched_is_uncached(name, family):
    attached = tuned(name, family)
    expected = [uncached(attached, prompt) for prompt in prompts()]
    assert len({tuple(answer) for answer in expected}) > 2, "the answers are too alike to tell an error"
    assert generate(attached, prompts(), decoding()) == expected
    assert generate(attached, prompts(), decoding(packed=False)) == expected
    assert generate(attached, prompts(), decoding(packed=False, shared_prefix=False)) == expected
    assert generate(attached, prompts(), decoding(packed=False, shared_prefix=False, batch_size=1)) == expected


@pytest.mark.parametrize("family", ["llama", "mistral"])
@pytest.mark.parametrize("name", [name for name, row in tiny.METHODS.items() if row.provider == "adapters"])
def test_without_the_renamed_cache_the_adapters_library_forgets_the_text(name, family):
    attached = tuned(name, family)
    expected = [uncached(attached, prompt) for prompt in prompts()]
    for module in attached.core.modules():
        module._forward_pre_hooks.clear()
    assert generate(attached, prompts(), decoding(packed=False, shared_prefix=False)) != expected


@pytest.mark.parametrize("name", tiny.METHODS)
def test_a_rows_answer_does_not_depend_on_the_rows_beside_it(name):
    attached = tuned(name, "llama")
    together = generate(attached, prompts(), decoding(batch_size=5))
    for prompt, answer in zip(prompts(), together, strict=True):
        assert generate(attached, [prompt], decoding()) == [answer]
    assert generate(attached, prompts()[::-1], decoding(batch_size=2)) == together[::-1]


def test_an_answer_ends_with_the_stop_token_and_the_others_go_on():
    attached = tuned("lora", "llama")
    expected = [uncached(attached, prompt) for prompt in prompts()]
    stop = expected[0][2]
    assert stop not in expected[0][:2]
    found = generate(attached, prompts(), decoding(stop=(stop,)))
    assert found[0] == expected[0][:3]
    for answer, whole in zip(found, expected, strict=True):
        assert answer == (whole[: whole.index(stop) + 1] if stop in whole else whole)


def test_no_more_than_max_new_tokens():
    found = generate(tuned("lora", "llama"), prompts(), decoding(max_new_tokens=2))
    assert [len(answer) for answer in found] == [2, 2, 2, 2, 2]


@pytest.mark.parametrize("tokens", [1, 2, 4, 100])
def test_looking_every_few_tokens_at_what_has_stopped_changes_nothing(tokens, monkeypatch):
    attached = tuned("lora", "llama")
    stop = uncached(attached, prompts()[0])[2]
    expected = generate(attached, prompts(), decoding(stop=(stop,)))
    assert len({len(answer) for answer in expected}) > 1
    monkeypatch.setitem(generation.CHECKED, "cpu", tokens)
    assert generate(attached, prompts(), decoding(stop=(stop,))) == expected


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("name", ["zero_shot", "lora", "prefix_tuning"])
def test_what_a_given_answer_says_is_not_decoded_again(name, family, monkeypatch):
    attached = tuned(name, family)
    whole = [uncached(attached, prompt) for prompt in prompts()]
    answers = [[[9, 9], answer[:length]] for length, answer in enumerate(whole, 2)]
    found = generate_and_score(attached, prompts(), decoding(), answers)
    assert [each.tokens for each in found] == whole
    assert [each.likelihoods[1].greedy for each in found] == [len(given) for _, given in answers]
    monkeypatch.setattr(generation, "forward", None)
    assert [
        each.tokens for each in generate_and_score(attached, prompts(), decoding(), [[each] for each in whole])
    ] == whole


def test_a_label_that_is_said_with_its_end_needs_no_forward_of_its_own(monkeypatch):
    attached = tuned("lora", "llama")
    expected = [uncached(attached, prompt, 2) for prompt in prompts()]
    stop = tuple(answer[1] for answer in expected)
    assert not set(stop) & {answer[0] for answer in expected}
    monkeypatch.setattr(generation, "forward", None)
    found = generate_and_score(attached, prompts(), decoding(stop=stop), [[answer] for answer in expected])
    assert [each.tokens for each in found] == expected


def test_padding_may_be_any_token():
    attached = tuned("prefix_tuning", "llama")
    found = [generate(attached, prompts(), decoding(packed=False, pad=pad)) for pad in (5, 99)]
    assert found[0] == found[1]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["lora", "prefix_tuning"])
def test_equal_prompts_and_one_that_begins_another(name, packed):
    attached = tuned(name, "llama")
    same = [START, START, [*START, 8]]
    assert generate(attached, same, decoding(packed=packed)) == [uncached(attached, prompt) for prompt in same]


def test_what_a_method_refuses_is_not_done():
    attached = tuned("lora", "llama")
    expected = generate(attached, prompts(), decoding())
    attached.refuses["shared_prefix"] = "its mask looks at the whole row"
    seen = []
    attached.core.model.register_forward_pre_hook(
        lambda _, __, given: seen.append(given["input_ids"]), with_kwargs=True
    )
    assert generate(attached, prompts(), decoding()) == expected
    assert START not in [ids[0].tolist() for ids in seen]


def test_the_model_is_as_it_was_and_keeps_no_gradient():
    attached = tuned("lora", "llama")
    before = list(tiny.traits(attached.core)), tiny.logits(attached.plain, tiny.ids(8))
    generate(attached, prompts(), decoding())
    assert list(tiny.traits(attached.core)) == before[0]
    assert torch.equal(tiny.logits(attached.plain, tiny.ids(8)), before[1])
