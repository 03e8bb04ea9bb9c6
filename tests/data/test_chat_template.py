"""Chat templates: on a fixed date, in bounds, and with the prompt in their text."""

import time
from datetime import datetime

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data import chat_template
from peft_pipelines.data.chat_template import ChatTemplate
from peft_pipelines.data.tokenize import Prompter

TURNS = [{"role": "user", "content": " Good? "}, {"role": "assistant", "content": "yes"}]
TODAY = "{% for turn in messages %}{{ strftime_now('%Y-%m-%d') }} {{ turn.content }}{% endfor %}"
THINKING = tiny.CHATML + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
TRIMMED = "{% generation %}\n  {%- for turn in messages %}{{ turn | tojson }}{% break %}{% endfor %}{% endgeneration %}"


def made(text: str, day: str = "2024-07-26", **values: object) -> ChatTemplate:
    return ChatTemplate(text, {"eos_token": "<|end|>"}, day, values)


@pytest.mark.parametrize("text", [tiny.CHATML, tiny.DATED, TRIMMED, "{{ eos_token }}{{ messages[0].content | trim }}"])
@pytest.mark.parametrize("asks", [True, False])
def test_a_template_writes_what_it_writes_in_transformers(text: str, asks: bool) -> None:
    tokenizer = tiny.tokenizer(text)
    theirs = tokenizer.apply_chat_template(TURNS, tokenize=False, add_generation_prompt=asks, date_string="26 Jul 2024")
    ours = Prompter(tokenizer, True, 512).template.render(TURNS, add_generation_prompt=asks)
    assert ours == theirs


def test_today_is_the_day_of_the_row() -> None:
    assert made(TODAY, "2020-02-29").render(TURNS[1:], add_generation_prompt=False) == "2020-02-29 yes"
    assert datetime.now().strftime("%Y") not in made(TODAY, "2020-02-29").render(TURNS, add_generation_prompt=True)


def test_the_rows_values_reach_the_template() -> None:
    with_block = made(THINKING, enable_thinking=False)
    with_block.check()
    text = with_block.render(TURNS[:1], add_generation_prompt=True)
    assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert made(THINKING).render(TURNS[:1], add_generation_prompt=True).endswith("<|im_start|>assistant\n")


def test_a_value_that_the_template_does_not_ask_for_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"does not ask for 'enable_thinkin', it asks for .*enable_thinking"):
        made(THINKING, enable_thinkin=False).check()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<|im_start|>user", "prompt"),
        ("{% for turn in messages %}{% for part in turn.content %}{{ part.text }}{% endfor %}{% endfor %}", "prompt"),
        ("{{ messages[0].content | upper }}", "prompt"),
        ("{{ messages[0].content }}", "answer"),
    ],
)
def test_a_template_that_leaves_texts_out_is_refused(text: str, what: str) -> None:
    with pytest.raises(ConfigError, match=f"must write the {what} as it is, .*one text, not a list of parts"):
        made(text).check()


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10**10 }}",
        "{{ 'a' * 10000000000 }}",
        "{{ [1] * 10000000000 }}",
        "{{ 10 ** 10000000000 }}",
        "{{ '%10000000000d' % 1 }}",
        "{{ 'a' | center(10000000000) }}",
        "{{ 'a'.ljust(10000000000) }}",
        "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% for i in range(10000000000) %}a{% endfor %}",
        "{% for i in range(99999) %}{% for k in range(99999) %}aaaaaaaaaa{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ raise_exception('no') }}",
        "{% for turn in messages %}",
        "{{ messages.nothing.there }}",
        "{{ ''.__class__.__mro__ }}",
        "{% include 'x' %}",
    ],
)
def test_a_template_that_is_no_text_is_one_line(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match="its chat template must make a text of turns, got"):
        made(text).check()
    assert time.monotonic() - began < 30


def test_a_template_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "PATIENCE", 1)
    loops = "".join(f"{{% for {name} in x %}}" for name in "abc") + "{% endfor %}" * 3
    text = "{% set x = range(99999) | list %}" + loops
    with pytest.raises(ConfigError, match="got no end after 1 s"):
        made(text).check()
