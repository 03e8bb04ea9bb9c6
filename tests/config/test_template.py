"""Templates: what each one gives for a row, and what is refused."""

import pytest

from peft_pipelines.config import TaskSpec, fill, parse, template_fields
from peft_pipelines.config.errors import ConfigError

ROW = {"a": "x", "review.text": "fine", "two words": "y", "0": "first", "ns:tag": 1, "answers[0]": "z", "{b": "no"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{a}", "x"),
        ("{review.text} and {two words}", "fine and y"),
        ("{0}|{ns:tag}|{answers[0]}", "first|1|z"),
        ("{{a}} {a}", "{a} x"),
        ("{{{a}}}", "{x}"),
        ('{{"k": "{a}"}}', '{"k": "x"}'),
        ("\n{a}\t", "\nx\t"),
    ],
)
def test_a_column_is_named_exactly(template: str, text: str) -> None:
    assert fill(template, ROW) == text


def test_values_are_not_read_as_templates() -> None:
    assert fill("{a}{a}", {"a": "{b} {{ }"}) == "{b} {{ }{b} {{ }"
    assert template_fields("{{no}} {yes} {{{both}}}") == ["yes", "both"]


def row(**values: object) -> dict[str, object]:
    return {
        "name": "x",
        "type": "t",
        "splits": {"train": "train", "test": "test"},
        "instruction": "i",
        "input": "{a}",
        "target": "{b}",
        "metrics": ["accuracy"],
        "max_new_tokens": 4,
        "licence": "l",
        "citation": "c",
        **values,
    }


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{sentence", "the brace at character 1 has no counterpart in '{sentence'"),
        ("sentence}", "the brace at character 9 has no counterpart in 'sentence}'"),
        ("{a{b}}", "the brace at character 1 has no counterpart"),
        ("{{a} {b}", "the brace at character 4 has no counterpart"),
        ("{text:.3f}", "'{text:.3f}' has a format"),
        ("{text:>10}", "'{text:>10}' has a format"),
        ("{text:05d}", "has a format"),
        ("{text!r}", "'{text!r}' has a format"),
        ("{a} {}", "'{}' names no column in '{a} {}'"),
        ("{a} { }", "'{ }' names no column"),
        ("hello", "must name a column, got 'hello'"),
        ("{{a}}", "must name a column"),
        ("", "must name a column, got ''"),
    ],
)
@pytest.mark.parametrize("field", ["input", "target", "group", "question"])
def test_anything_else_is_refused(template: str, words: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(TaskSpec, "task 'x'", row(**{"group": "{a}", field: template}))
    message = str(caught.value)
    assert message.startswith(f"task 'x', {field}: ")
    assert words in message
    assert message.endswith("Allowed: {column} for the value of a column, {{ and }} for braces")


def test_a_format_of_letters_alone_may_be_a_name() -> None:
    assert parse(TaskSpec, "task 'x'", row(input="{a:d}")).columns() == ("a:d", "b")
