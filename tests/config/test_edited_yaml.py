"""Values set in YAML text: what is read back is what was set, and all else stays as it was written."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from peft_pipelines.config.edited_yaml import REMOVED, edited
from peft_pipelines.config.errors import ConfigError

TEXT = """# The head.
methods: [zero_shot, lora]  # why these

tasks:   # a list: below
  - sst2
  - copa

# Of the training.
training:
  epochs: 3   # long
  loss: {type: cross_entropy}

# The end.
"""

CASES: list[tuple[dict[tuple[str, ...], Any], str, str]] = [
    ({("training", "epochs"): "1e5"}, "epochs: 3", "epochs: '1e5'"),
    ({("methods",): ["ia3"]}, "methods: [zero_shot, lora]", "methods: [ia3]"),
    ({("tasks",): ["wsc"]}, "tasks:   # a list: below\n  - sst2\n  - copa\n", "tasks: [wsc]   # a list: below\n"),
    ({("training", "epochs"): 0.5}, "epochs: 3 ", "epochs: 0.5 "),
    ({("training", "batch_size"): 4}, "cross_entropy}\n", "cross_entropy}\n  batch_size: 4\n"),
    ({("training", "loss", "type"): "focal"}, "{type: cross_entropy}", "{type: focal}"),
    ({("training", "epochs"): REMOVED}, "  epochs: 3   # long\n", ""),
    ({("training", "loss", "type"): REMOVED}, "{type: cross_entropy}", "{}"),
    ({("seeds",): ["s0"]}, "cross_entropy}\n", "cross_entropy}\nseeds: [s0]\n"),
    ({("nothing",): REMOVED, ("training", "nothing"): REMOVED}, "", ""),
    (
        {("training", "epochs"): REMOVED, ("training", "loss"): REMOVED},
        "training:\n  epochs: 3   # long\n  loss: {type: cross_entropy}\n",
        "",
    ),
]


@pytest.mark.parametrize(
    ("values", "old", "new"), CASES, ids=[str(values).replace(repr(REMOVED), "removed") for values, _, _ in CASES]
)
def test_all_else_stays(values: dict[tuple[str, ...], Any], old: str, new: str) -> None:
    assert TEXT.count(old) == 1 or not old
    assert edited(TEXT, "x.yml", values) == TEXT.replace(old, new)


def test_a_new_file_and_one_without_a_last_newline() -> None:
    assert edited("", "x.yml", {("a", "b"): 1}) == "a:\n  b: 1\n"
    assert edited("a:\n  x: 1\n", "x.yml", {("a", "b", "c"): "1e5"}) == "a:\n  x: 1\n  b:\n    c: '1e5'\n"
    assert edited("# only this", "x.yml", {("a",): 1}) == "# only this\na: 1\n"
    assert edited("a: 1", "x.yml", {("b",): [2]}) == "a: 1\nb: [2]\n"
    assert edited("a: 1  # x", "x.yml", {("b",): [2]}) == "a: 1  # x\nb: [2]\n"


def test_a_file_that_is_one_map_in_braces() -> None:
    assert edited("{a: 1}  # x\n", "x.yml", {("b", "c"): 2}) == "{a: 1, b: {c: 2}}  # x\n"
    assert edited("{a: 1, b: 2}\n", "x.yml", {("a",): REMOVED, ("c",): REMOVED}) == "{b: 2}\n"


def test_a_value_without_fields_and_what_is_no_yaml_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"x.yml: 'methods' must have fields to set 'lora' in it"):
        edited(TEXT, "x.yml", {("methods", "lora"): 1})
    with pytest.raises(ConfigError, match=r"x.yml, line 2"):
        edited("a: [", "x.yml", {("a",): 1})


KEYS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(tuple)
VALUES = st.one_of(st.integers(-5, 5), st.booleans(), st.none(), st.lists(st.sampled_from(["x", "y: z", "#", "1"])))


@given(st.lists(st.tuples(KEYS, VALUES), max_size=6), st.sampled_from([None, False, True]))
def test_what_is_read_back_is_what_was_set(changes: list[tuple[tuple[str, ...], Any]], flow: bool | None) -> None:
    values: dict[str, Any] = {}
    text = ""
    for keys, value in changes:
        inner = values
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                return
        if isinstance(inner.get(keys[-1]), dict):
            return
        inner[keys[-1]] = value
        text = edited(text, "x.yml", {keys: value})
        if flow is not None:
            text = yaml.safe_dump(yaml.safe_load(text), default_flow_style=flow) + "# end\n"
    assert (yaml.safe_load(text) or {}) == values
