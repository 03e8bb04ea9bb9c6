"""Labels: which value of a column finds which key of a row, and which keys and words are refused."""

from typing import Any

import pytest
import yaml

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.label_keys import checked_labels, label_text, word_of


@pytest.mark.parametrize(
    ("keys", "value", "word"),
    [
        ("{true: good, false: bad}", "true", "good"),
        ("{true: good, false: bad}", "False", "bad"),
        ("{True: good, False: bad}", "FALSE", "bad"),
        ('{"true": good, "false": bad}', "true", "good"),
        ('{"0": bad, "1": good}', "0", "bad"),
        ("{0: bad, 1: good}", "0.0", "bad"),
        ("{0: bad, 1: good}", "1.000", "good"),
        ("{0.0: bad, 1.0: good}", "1", "good"),
        ("{0.5: bad, 1.5: good}", "0.5", "bad"),
        ("{-1: negative, 0: neutral, 1: positive}", "-1", "negative"),
        ("{-1: negative, 0: neutral, 1: positive}", "-1.0", "negative"),
        ('{"": nothing, a: something}', "", "nothing"),
        ("{neg: bad, pos: good}", " pos\n", "good"),
        ('{"007": bond, "7": seven}', "007", "bond"),
        ('{"007": bond, "7": seven}', "7.0", "seven"),
        ('{"no": bad, "yes": good}', "no", "bad"),
        ("{a: lower, A: upper}", "A", "upper"),
    ],
)
def test_a_value_finds_its_word(keys: str, value: str, word: str) -> None:
    labels: Any = checked_labels(yaml.safe_load(keys))
    assert word_of(labels, value, "row 0") == word


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        ("{0: bad, 1: good}", "-1", "label '-1' is a hidden test label, score another split. Allowed: 0, 1"),
        ("{0: bad, 1: good}", "-1.0", "label '-1.0' is a hidden test label, score another split. Allowed: 0, 1"),
        ("{0: bad, 1: good}", "", "label '' is a hidden test label, score another split. Allowed: 0, 1"),
        ("{0: bad, 1: good}", "2", "unknown label '2'. Allowed: 0, 1"),
        ("{0: bad, 1: good}", "00", "unknown label '00', did you mean '0'? Allowed: 0, 1"),
        ("{7: bad, 1: good}", "007", "unknown label '007'. Allowed: 7, 1"),
        ("{0: bad, 1: good}", "true", "unknown label 'true'. Allowed: 0, 1"),
        (
            '{no: "no", yes: "yes"}',
            "no",
            "unknown label 'no'. Allowed: false, true; YAML reads a bare yes, no, on or off as true or false: quote it",
        ),
    ],
)
def test_a_value_without_a_word_is_told(keys: str, value: str, message: str) -> None:
    labels: Any = checked_labels(yaml.safe_load(keys))
    with pytest.raises(ConfigError) as caught:
        word_of(labels, value, "row 0")
    assert str(caught.value) == f"row 0: {message}"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("{0: a, '0': b}", "labels: the keys 0 and '0' match the same label"),
        ("{0: a, '0.0': b}", "labels: the keys 0 and '0.0' match the same label"),
        ("{'True': a, true: b}", "labels: the keys 'True' and True match the same label"),
        ("{a: x, ' a': y}", "labels: the keys 'a' and ' a' match the same label"),
        ("{no: no, yes: yes}", "YAML reads a bare yes, no, on or off as true or false: quote it"),
        (
            "{0: no, 1: yes}",
            "labels: the word of label 0 must be text, got False; YAML reads a bare yes, no, on or off",
        ),
        ("{0: 5, 1: 6}", "labels: the word of label 0 must be text, got 5; quote it"),
        ("{null: a, 1: b}", "labels: the key None is no text, quote it"),
        ("{2020-01-01: a, 1: b}", "labels: the key datetime.date(2020, 1, 1) is no text, quote it"),
        ("[a, b]", "labels: must be a row of fields, got ['a', 'b']"),
    ],
)
def test_keys_and_words_that_are_refused(labels: str, message: str) -> None:
    row = {"name": "x", "type": "t", "splits": {"train": "train", "test": "test"}, "instruction": "i", "input": "{a}"}
    rest = {"label": "label", "metrics": ["accuracy"], "max_new_tokens": 4, "licence": "l", "citation": "c"}
    with pytest.raises(ConfigError) as caught:
        parse(TaskSpec, "task 'x'", {**row, **rest, "labels": yaml.safe_load(labels)})
    assert message in str(caught.value)
    assert str(caught.value).startswith("task 'x', labels: ")


def test_keys_stay_as_they_are_written_but_for_truth_values_and_points() -> None:
    assert checked_labels({0: "a", "1": "b", True: "c", 2.0: "d"}) == {0: "a", "1": "b", "true": "c", "2": "d"}
    assert label_text(True) != label_text(1)
