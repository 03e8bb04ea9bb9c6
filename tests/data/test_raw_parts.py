"""The test split that is cut off one table: whole inputs or groups, label shares kept, the same each time."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from base_rows import ALL_ROWS

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt
from peft_pipelines.data.raw_parts import parts_of


def task_of(**fields: object) -> TaskSpec:
    row = {
        "name": "mine",
        "type": "topic classification",
        "splits": {"train": "train", "test_share": 0.25},
        "instruction": "Which team?",
        "input": "{text}",
        "label": "team",
        "labels": {"a": "a", "b": "b"},
        "metrics": ["accuracy"],
        "max_new_tokens": 8,
        "licence": "-",
        "citation": "-",
    }
    return parse(TaskSpec, "task 'mine'", {**row, **fields})


ROWS = [{"text": f"text {number}", "team": "ab"[number % 4 == 0], "who": f"w{number // 5}"} for number in range(40)]
TABLE = pa.Table.from_pylist(ROWS)


def numbers(task: TaskSpec, table: pa.Table = TABLE, seed: int = 0) -> dict[str, list[int]]:
    return {part: found.tolist() for part, (_, found) in parts_of({"train": table}, task, seed).items()}


def test_a_share_is_cut_off_with_the_shares_of_the_labels() -> None:
    found = numbers(task_of())
    assert sorted(found["train"] + found["test"]) == list(range(40))
    assert Counter(ROWS[row]["team"] for row in found["test"]) == {"a": 8, "b": 2} or Counter(
        ROWS[row]["team"] for row in found["test"]
    ) == {"a": 7, "b": 3}
    assert numbers(task_of()) == found
    assert numbers(task_of(), seed=1) != found


def test_rows_of_one_input_stay_on_one_side() -> None:
    twice = pa.Table.from_pylist([*ROWS, *({**row, "text": f" {row['text'].upper()} "} for row in ROWS)])
    for seed in range(5):
        found = numbers(task_of(), twice, seed)
        assert {row % 40 for row in found["train"]}.isdisjoint(row % 40 for row in found["test"])
        assert len(found["test"]) == 20


def test_groups_stay_whole() -> None:
    found = numbers(task_of(group="{who}"))
    sides = [{ROWS[row]["who"] for row in found[part]} for part in ("train", "test")]
    assert sides[0].isdisjoint(sides[1])
    assert len(sides[1]) == 2


def test_a_split_for_validation_is_left_whole() -> None:
    task = task_of(splits={"train": "train", "test_share": 0.5, "validation": "validation"})
    found = parts_of({"train": TABLE, "validation": TABLE.slice(0, 3)}, task, 0)
    assert {part: (split, len(rows)) for part, (split, rows) in found.items()} == {
        "train": ("train", 20),
        "validation": ("validation", 3),
        "test": ("train", 20),
    }


def test_the_three_parts_of_one_file_share_no_row() -> None:
    made = adapt({"train": TABLE}, task_of(), ALL_ROWS.model_copy(update={"validation_share": 0.1}))
    inputs = [set(table["input"].to_pylist()) for table in made.values()]
    assert list(made) == ["train", "validation", "test"]
    assert len(set().union(*inputs)) == sum(map(len, inputs)) == 40
    assert [len(part) for part in inputs] == [27, 3, 10]


def test_the_number_of_a_faulty_row_is_that_in_the_file() -> None:
    place = numbers(task_of())["test"][0]
    faulty = [{**row, "text": ""} if number == place else row for number, row in enumerate(ROWS)]
    for seed in range(3):
        with pytest.raises(ConfigError, match=f"task 'mine', train row {place}: empty input"):
            adapt({"train": pa.Table.from_pylist(faulty)}, task_of(), ALL_ROWS.model_copy(update={"split_seed": seed}))


@pytest.mark.parametrize(("fields", "what"), [({}, "input"), ({"group": "{who}"}, "group")])
def test_a_single_unit_cannot_be_cut(fields: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigError, match=f"splits.test_share: all rows of split 'train' share one {what}, no test"):
        parts_of({"train": pa.Table.from_pylist(ROWS[:1] * 3)}, task_of(**fields), 0)


def test_a_small_share_is_one_row_and_a_large_one_leaves_one() -> None:
    assert len(numbers(task_of(splits={"train": "train", "test_share": 0.001}))["test"]) == 1
    assert len(numbers(task_of(splits={"train": "train", "test_share": 0.999}))["train"]) == 1


@pytest.mark.parametrize("splits", [{}, {"test": "test", "test_share": 0.2}])
def test_the_test_is_a_split_or_a_share(splits: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="splits: exactly one of test and test_share is needed"):
        task_of(splits={"train": "train", **splits})


def test_the_cut_does_not_depend_on_how_many_rows_are_drawn() -> None:
    few = ALL_ROWS.model_copy(update={"train_rows": 5, "test_rows": 3})
    drawn = set(adapt({"train": TABLE}, task_of(), few)["test"]["input"].to_pylist())
    assert drawn <= {ROWS[row]["text"] for row in numbers(task_of(), seed=few.split_seed)["test"]}
    assert isinstance(parts_of({"train": TABLE}, task_of(), 0)["test"][1], np.ndarray)
