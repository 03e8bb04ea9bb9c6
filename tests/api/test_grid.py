"""A grid is checked when it is made, by the specs of its YAML."""

from typing import Any

import pytest

from peft_pipelines import Grid
from peft_pipelines.config.errors import ConfigError

NAMES: dict[str, Any] = {"methods": ["lora"], "models": ["tiny"], "tasks": ["mood"]}


def test_an_axis_may_be_anything_with_names_in_order() -> None:
    grid = Grid(methods=("lora", "ia3"), models={"tiny": 0}.keys(), tasks=iter(["mood"]), seeds=["s1"])
    assert grid.cells() == ["lora.tiny.mood.s1", "ia3.tiny.mood.s1"]
    assert repr(grid) == "Grid(methods=['lora', 'ia3'], models=['tiny'], tasks=['mood'], seeds=['s1'])"


def test_other_fields_of_the_file_are_fields_here() -> None:
    assert Grid(**NAMES, lr_search={"factors": [1.0, 3.0]}).spec.lr_search.factors == (1.0, 3.0)
    assert repr(Grid(**NAMES, rows={"training": {"epochs": 2}})).endswith("rows=['training'])")


def test_rows_that_are_no_dictionary_in_yaml_are_none_here() -> None:
    assert Grid(**NAMES, rows={"trackers": ["tensorboard"], "energy": None}).rows["trackers"] == ["tensorboard"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"methods": []}, "Grid, methods: Value should have at least 1 item after validation, not 0"),
        ({"tasks": "mood"}, "Grid, tasks: must be a list, got 'mood'"),
        ({"tasks": 3}, "Grid, tasks: must be a list, got 3"),
        ({"tasks": {"mood"}}, "Grid, tasks: must be a list, got {'mood'}"),
        ({"tasks": ["mood", "mood"]}, "Grid: tasks must name each row once, got 'mood' twice"),
        ({"methods": ["majority"]}, "Grid: a method must not be called majority or random or profiles, got 'majority'"),
        ({"metrc": "mcc"}, "Grid: unknown field 'metrc', did you mean 'metric'? Allowed: methods, models, tasks"),
        (
            {"rows": {"task": {}}},
            "Grid, rows: unknown key 'task', did you mean 'tasks'? Allowed: tasks, models, methods",
        ),
        ({"rows": {"training": 3}}, "Grid, rows, training: must be a dictionary, got 3"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Grid(**{**NAMES, **changed})
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)
