"""The prompts of the model rows, by templates with the rules of their own: thinking, dates, systems, alternation."""

import sys
from typing import Any

import pytest
import tiny
from base_rows import rows_of
from chat_templates import GEMMA_2, GEMMA_3, LLAMA_3_2, MISTRAL_0_3, QWEN_3
from jinja2.exceptions import TemplateError

from peft_pipelines.config import ModelSpec, parse
from peft_pipelines.data.tokenize import Prompter

ROWS: dict[str, Any] = rows_of("models")
TEMPLATES = {
    "llama_3_2_1b": LLAMA_3_2,
    "qwen3_0_6b": QWEN_3,
    "gemma_3_1b": GEMMA_3,
    "mistral_7b_v0_3": MISTRAL_0_3,
}
SHOTS = [("Is it bad?", "no")]


def prompter(name: str, template: str = "", **changes: Any) -> Prompter:
    """The prompter of a row, with the tiny tokenizer and a template with the row's rules."""
    row = parse(ModelSpec, f"model '{name}'", {**ROWS[name], "name": name, **changes})
    return Prompter.of(row, tiny.tokenizer(template or TEMPLATES[name]), sys.maxsize)


def test_each_row_of_the_hub_has_a_template_here() -> None:
    assert TEMPLATES.keys() == {name for name, row in ROWS.items() if "hub" in row}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "llama_3_2_1b",
            "<|begin|><|head|>system<|/head|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
            "<|eot|><|head|>user<|/head|>\n\nIs it bad?<|eot|><|head|>assistant<|/head|>\n\nno<|eot|>"
            "<|head|>user<|/head|>\n\nIs it good?<|eot|><|head|>assistant<|/head|>\n\n",
        ),
        (
            "qwen3_0_6b",
            "<|im_start|>user\nIs it bad?<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n"
            "<|im_start|>user\nIs it good?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        ),
        (
            "gemma_3_1b",
            "<|begin|><|head|>user\nIs it bad?<|eot|>\n<|head|>model\nno<|eot|>\n"
            "<|head|>user\nIs it good?<|eot|>\n<|head|>model\n",
        ),
        ("mistral_7b_v0_3", "<|begin|>[INST] Is it bad?[/INST] no<|end|>[INST] Is it good?[/INST]"),
    ],
)
def test_a_rows_prompt_says_exactly_this(name: str, text: str) -> None:
    made = prompter(name)
    made.template.check()
    assert made.render("Is it good?", SHOTS) == text
    turns = [("user", SHOTS[0][0]), ("assistant", SHOTS[0][1]), ("user", "Is it good?")]
    theirs = made.tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in turns],
        tokenize=False,
        add_generation_prompt=True,
        date_string="26 Jul 2024",
        **ROWS[name].get("chat_template_kwargs", {}),
    )
    assert theirs == text


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("llama_3_2_1b", "<|eot|>"),
        ("qwen3_0_6b", "<|im_end|>"),
        ("gemma_3_1b", "<|eot|>"),
        ("mistral_7b_v0_3", "<|end|>"),
    ],
)
def test_a_rows_answer_ends_with_its_turn(name: str, end: str) -> None:
    made = prompter(name)
    assert made.tokenizer.convert_ids_to_tokens(made.end_of_turn()) == [end]
    assert made.decode(made.encode("Is it good?", "yes").answer, made.end_of_turn()) == "yes"


def test_without_its_value_qwen_would_think_before_it_answers() -> None:
    with_thoughts = prompter("qwen3_0_6b", chat_template_kwargs={})
    assert with_thoughts.render("Is it good?").endswith("<|im_start|>assistant\n")


def test_what_qwen_learns_is_what_its_template_writes() -> None:
    made = prompter("qwen3_0_6b")
    turns = [{"role": "user", "content": "Is it good?"}, {"role": "assistant", "content": "yes"}]
    whole = made.template.render(turns, add_generation_prompt=False)
    assert whole.startswith(made.render("Is it good?") + "yes")


def test_llamas_date_is_the_rows_and_not_todays() -> None:
    assert "Today Date: 01 Feb 2023\n" in prompter("llama_3_2_1b", date="2023-02-01").render("?")


@pytest.mark.parametrize("template", [GEMMA_3, GEMMA_2])
def test_no_prompt_has_a_system_turn_that_gemma_would_fold_or_refuse(template: str) -> None:
    made = prompter("gemma_3_1b", template)
    made.template.check()
    assert made.render("Is it good?") == "<|begin|><|head|>user\nIs it good?<|eot|>\n<|head|>model\n"
    system = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it good?"}]
    if template == GEMMA_2:
        with pytest.raises(TemplateError, match="no system turn"):
            made.template.render(system, add_generation_prompt=True)
    else:
        assert "user\nBe brief.\n\nIs it good?<|eot|>" in made.template.render(system, add_generation_prompt=True)


@pytest.mark.parametrize("name", ["gemma_3_1b", "mistral_7b_v0_3"])
def test_turns_alternate_however_many_shots_there_are(name: str) -> None:
    made = prompter(name)
    for count in range(4):
        assert made.render("Is it good?", SHOTS * count).count("Is it bad?") == count
    with pytest.raises(TemplateError, match="turns must alternate"):
        made.template.render([{"role": "user", "content": "?"}] * 2, add_generation_prompt=True)
