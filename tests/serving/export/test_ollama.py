"""Ollama's template against the model's own, filled in by the rules of Go's templates that it uses."""

import re

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.chat_template import ChatTemplate
from peft_pipelines.serving.export.ollama import pieces_of

WITH_SYSTEM = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}" + tiny.CHATML
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + tiny.CHATML
UNEVEN = "{% for turn in messages %}{{ loop.index }}{{ turn.content }}{% endfor %}"
TALKS = [["system:Be short.", "user:Is it?", "assistant:It is.", "user:Why?"], ["user:a\nb"]]


def template(text: str) -> ChatTemplate:
    return ChatTemplate(text, {"bos_token": "<|begin|>"}, "2024-07-26", {})


def go(text: str, turns: list[dict[str, str]]) -> str:
    """What Go makes of a template of this shape: the system's words from .System, all turns from .Messages."""
    system = next((turn["content"] for turn in turns if turn["role"] == "system"), "")
    first, _, rest = text.partition("{{ range .Messages }}")
    body, _, prompt = rest.partition("{{ end }}{{ end }}")
    if choice := re.fullmatch(r"{{ if .System }}(.*){{ else }}(.*){{ end }}", first, re.DOTALL):
        first = choice[1].replace("{{ .System }}", system) if system else choice[2]
    user, _, assistant = body.partition('{{ else if eq .Role "assistant" }}')
    forms = {"user": user.removeprefix('{{ if eq .Role "user" }}'), "assistant": assistant, "system": ""}
    said = "".join(forms[turn["role"]].replace("{{ .Content }}", turn["content"]) for turn in turns)
    return f"{first}{said}{prompt}".replace('{{ "{{" }}', "{{")


@pytest.mark.parametrize("text", [tiny.CHATML, WITH_SYSTEM, tiny.UNCLOSED])
@pytest.mark.parametrize("talk", TALKS)
def test_a_conversation_reads_as_by_the_models_own_template(text: str, talk: list[str]) -> None:
    turns = [dict(zip(("role", "content"), turn.split(":"), strict=True)) for turn in talk]
    expected = template(text).render(turns, add_generation_prompt=True)
    assert go(pieces_of(template(text)).go(), turns) == expected


def test_the_systems_own_words_stand_where_there_is_no_system_turn() -> None:
    found = pieces_of(template(WITH_SYSTEM))
    assert found.start == "<|im_start|>system\nBe kind.<|im_end|>\n"
    assert found.system == ("<|im_start|>system\n", "<|im_end|>\n")


def test_a_first_token_that_the_tokenizer_adds_is_not_said_twice() -> None:
    text = "{{ bos_token }}" + WITH_SYSTEM
    assert pieces_of(template(text), "<|begin|>") == pieces_of(template(WITH_SYSTEM))


def test_a_template_without_a_system_turn_has_none_in_go() -> None:
    assert ".System" not in pieces_of(template(NO_SYSTEM)).go()


@pytest.mark.parametrize("text", [UNEVEN, tiny.CHATML.replace("user", "") + '"""'])
def test_what_go_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="chat template"):
        pieces_of(template(text))
