"""Prompts run by the attention that is named, and FlexAttention gives the answers of the other ones."""

import pytest
import tiny

from peft_pipelines.inference import decoding as module
from peft_pipelines.inference.decoding import Decoding, attention_of, outgrows_window
from peft_pipelines.inference.generate import generate_and_score
from peft_pipelines.models import tree_attention
from peft_pipelines.models.tree_kernel import FLEX, PATHS, ROWS

ANSWERS = [[[7, 9], [4], [7, 3, 256]]] * len(tiny.LENGTHS)


def decoding(**values) -> Decoding:
    usual = {"max_new_tokens": 5, "stop": (256,), "pad": 257, "batch_size": 3, "shared_prefix": True}
    return Decoding(**{**usual, "packed": True, "flex": True, **values})


@pytest.mark.filterwarnings("ignore:.*called without torch.compile:UserWarning")
@pytest.mark.parametrize("name", ["lora", "prefix_tuning"])
def test_flex_attention_gives_the_same_answers_and_likelihoods(name, monkeypatch):
    attached, prompts = tiny.tuned(name, "llama"), tiny.prompts()
    assert attention_of(attached, prompts, decoding(), ANSWERS) == PATHS
    expected = generate_and_score(attached, prompts, decoding(), ANSWERS)
    monkeypatch.setattr(module, "flex_refused", lambda *asked: None)
    monkeypatch.setattr(tree_attention, "attending", None)
    assert attention_of(attached, prompts, decoding(), ANSWERS) == FLEX
    found = generate_and_score(attached, prompts, decoding(), ANSWERS)
    for one, other in zip(found, expected, strict=True):
        assert one.tokens == other.tokens
        assert [each.logprob for each in one.likelihoods] == pytest.approx(
            [each.logprob for each in other.likelihoods], abs=1e-5
        )


def test_what_is_switched_off_or_refused_runs_otherwise(monkeypatch):
    attached, prompts = tiny.tuned("lora", "llama"), tiny.prompts()
    monkeypatch.setattr(module, "flex_refused", lambda *asked: None)
    assert attention_of(attached, prompts, decoding(flex=False), ANSWERS) == PATHS
    assert attention_of(attached, prompts, decoding(packed=False), ANSWERS) == ROWS
    attached.refuses["packed_batches"] = "it draws at random"
    assert attention_of(attached, prompts, decoding(), ANSWERS) == ROWS


def test_rows_that_outgrow_a_window_are_no_tree():
    attached, prompts = tiny.tuned("lora", "mistral_window"), tiny.prompts()
    assert outgrows_window(attached, prompts, 3, ANSWERS)
    assert not outgrows_window(attached, [[1, 2]], 3, [[[4]]])
    assert outgrows_window(attached, [[1, 2]], 3, [[[4] * 15]])
    assert attention_of(attached, prompts, decoding(), ANSWERS) == ROWS
