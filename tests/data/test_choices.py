"""The columns of tasks with continuations: texts in the order of the labels, or one line that says what is wrong."""

from typing import Any

import pytest
from made import labelled

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.choices import choice_columns, choice_fields
from peft_pipelines.data.example import adapt_row

LABELS = {0: "bad", 1: "good"}
ROW = {"sentence": "fun", "label": 1, "first": " dull", "second": "bright", "both": ["dull", "bright"], "none": None}


def task(**continuations: Any) -> TaskSpec:
    return labelled("mood", labels=LABELS, input="{sentence}", metrics=["acc"], continuations=continuations)


@pytest.mark.parametrize(
    ("continuations", "columns"),
    [
        ({}, {"choices": ["bad", "good"]}),
        ({"texts": ["{first}", "{second} {sentence}"]}, {"choices": [" dull", "bright fun"]}),
        ({"texts": ["no", "yes"]}, {"choices": ["no", "yes"]}),
        ({"column": "both"}, {"choices": ["dull", "bright"]}),
        ({"context": "{sentence}:\n"}, {"choices": ["bad", "good"], "context": "fun:\n"}),
    ],
)
def test_a_row_says_what_its_labels_are_as_continuations(continuations: Any, columns: Any) -> None:
    found = adapt_row(ROW, task(**continuations), "row 0")
    assert {name: found[name] for name in columns} == columns
    assert [name for name, _ in choice_fields(task(**continuations))] == list(columns)


def test_a_task_without_the_field_has_no_columns_of_it() -> None:
    without = labelled("mood", labels=LABELS, input="{sentence}")
    assert choice_columns(ROW, without, "row 0") == {} and choice_fields(without) == []
    assert adapt_row(ROW, without, "row 0").keys() == {"input", "references"}


@pytest.mark.parametrize(
    ("continuations", "changed", "says"),
    [
        ({"column": "both"}, {"both": ["dull"]}, "row 0, continuations: must be 2, one for each label, got 1"),
        ({"column": "both"}, {"both": []}, "row 0, continuations: must be 2, one for each label, got 0"),
        ({"column": "both"}, {"both": "dull"}, "row 0, continuations: column 'both' must be a list, got 'dull'"),
        ({"column": "both"}, {"both": ["dull", " "]}, "row 0, continuations: must hold text, got ['dull', ' ']"),
        ({"column": "nothing"}, {}, "row 0: unknown column 'nothing'. Allowed: sentence, "),
        ({"column": "none"}, {}, "row 0: column 'none' is null, it must hold a value"),
        ({"texts": ["{both}", "b"]}, {}, "row 0, continuations: column 'both' is a list, it must hold text, a number"),
        ({"context": "{first}"}, {"first": " "}, "row 0, continuations: must hold text, got ['bad', 'good', ' ']"),
    ],
)
def test_a_row_without_a_text_for_each_label_is_refused(continuations: Any, changed: Any, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        adapt_row({**ROW, **changed}, task(**continuations), "row 0")
    assert str(caught.value).startswith(f"task 'mood', {says}")
