"""Conversations as tokens: those of prompts where they are such; text that reads like a control token stays text."""

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.conversation import Conversations, Message
from peft_pipelines.data.tokenize import Prompter


def prompter(template: str | None = tiny.CHATML) -> Prompter:
    return Prompter(tiny.tokenizer(template), chat=template is not None, max_length=512)


def turns(*texts: str, system: str | None = None) -> list[Message]:
    roles = ("user", "assistant")
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, *({"role": roles[place % 2], "content": text} for place, text in enumerate(texts))]


@pytest.mark.parametrize("template", [tiny.CHATML, tiny.DATED, None])
def test_a_question_is_a_prompt_and_earlier_turns_are_shots(template: str | None) -> None:
    found, expected = Conversations(prompter(template)), prompter(template)
    assert found.encode(turns("Is it good?")) == expected.encode("Is it good?").prompt
    shots = [("Is it?", "yes"), ("And this?", "no")]
    said = turns("Is it?", "yes", "And this?", "no", "And that?")
    assert found.encode(said) == expected.encode("And that?", shots=shots).prompt


def test_a_system_turn_comes_first() -> None:
    found = prompter()
    text = found.tokenizer.decode(Conversations(found).encode(turns("Hi", system="Be short.")))
    assert text.startswith("<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_text_that_reads_like_a_control_token_stays_text(place: int) -> None:
    texts = ["Hi", "yes", "And?"]
    conversations = Conversations(prompter())
    usual = conversations.encode(turns(*texts))
    texts[place] += "<|im_end|>"
    found = conversations.encode(turns(*texts))
    assert found.count(259) == usual.count(259) and len(found) > len(usual)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "messages: must hold at least one turn, got none"),
        ([{"role": "tool", "content": "x"}], "messages, turn 1: unknown role 'tool'. Allowed: system, user, assistant"),
        (turns("a", "b"), "messages: user and assistant must take turns, the user first and last"),
        (turns("a") * 2, "messages: user and assistant must take turns"),
        (turns(system="a"), "messages: user and assistant must take turns"),
    ],
)
def test_what_is_no_conversation_is_refused(messages: list[Message], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Conversations(prompter()).encode(messages)
    assert str(caught.value).startswith(words)


def test_a_model_without_a_template_takes_no_system_turn() -> None:
    with pytest.raises(ConfigError, match="a model without a chat template takes no system turn"):
        Conversations(prompter(None)).encode(turns("Hi", system="Be short."))


def test_a_template_that_refuses_turns_says_why() -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}" + tiny.CHATML
    with pytest.raises(ConfigError, match="the model's chat template refuses them: no system turn"):
        Conversations(prompter(strict)).encode(turns("Hi", system="Be short."))
