"""A row made of rows: its labels and metrics, and one line for each thing that cannot be a task."""

from typing import Any

import pyarrow as pa
import pytest

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.split_names import Splits
from peft_pipelines.data.new_task import Wanted, check_filled, row_of, spec_of

SPLITS = Splits(train="train", test_share=0.2)
TEAMS = [{"text": f"t{number}", "team": "sales" if number % 2 else "billing"} for number in range(8)]


def made(rows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    wanted = Wanted(**{"name": "mine", "input": "T: {text}", **fields})
    return row_of(wanted, {"train": pa.Table.from_pylist(rows)}, "mine.csv", SPLITS)


def test_the_values_of_a_label_column_are_its_words() -> None:
    row = made(TEAMS, label="team")
    assert row["labels"] == {"billing": "billing", "sales": "sales"}
    assert row["instruction"] == "Answer with one of these: billing, sales."
    assert (row["metrics"][0], row["ignore_case"], row["type"]) == ("accuracy", True, "classification")
    assert spec_of("mine", row).label_words == ("billing", "sales")


def test_words_replace_values_and_numbers_stand_in_their_order() -> None:
    rows = [{"text": "t", "team": number % 11} for number in range(33)]
    row = made(rows, label="team", words={"0": "zero"})
    assert list(row["labels"].items())[:3] == [("0", "zero"), ("1", "1"), ("2", "2")]
    assert list(row["labels"])[-1] == "10"


def test_labels_that_differ_in_case_alone_are_matched_by_case() -> None:
    assert "ignore_case" not in made([{"text": "t", "team": word} for word in ("A", "a") * 3], label="team")


def test_values_that_white_space_and_form_alone_tell_apart_are_one_label() -> None:
    rows = [{"text": "t", "team": word} for word in (" true", "True", "false ", "false")]
    assert made(rows, label="team")["labels"] == {"false": "false", "true": "true"}


@pytest.mark.parametrize(
    ("answers", "metrics"),
    [
        (["1", "-2.5", "+3"], ["number_accuracy", "exact_match"]),
        (["1", "two"], ["rougeL", "token_f1", "exact_match"]),
    ],
)
def test_metrics_fit_the_answers(answers: list[str], metrics: list[str]) -> None:
    rows = [{"text": "t", "answer": answer} for answer in answers]
    assert made(rows, output="{answer}")["metrics"] == metrics
    assert made(rows, output="{answer}", metrics=["bleu"])["metrics"] == ["bleu", *metrics]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "exactly one of --label and --output is needed"),
        ({"label": "team", "output": "{team}"}, "exactly one of --label and --output is needed"),
        ({"output": "{team}", "words": {"a": "b"}}, "--word: needs --label"),
        ({"label": "teem"}, "--label: unknown column 'teem', did you mean 'team'? Allowed: text, team"),
        ({"label": "text"}, "--label: column 'text' has 8 different values in 8 rows, too many for labels"),
        ({"label": "team", "words": {"salez": "x"}}, "--word: unknown value 'salez', did you mean 'sales'?"),
        ({"label": "team", "words": {"sales": "a", " sales": "b"}}, "--word: gives 'sales' two words, 'a' and 'b'"),
        ({"label": "team", "words": {"sales": "billing"}}, "task 'mine', labels: two labels share a word"),
        ({"label": "team", "input": "T: text"}, "task 'mine', input: must name a column"),
        ({"label": "team", "group": ""}, "task 'mine', group: must name a column"),
    ],
)
def test_what_is_no_task_is_one_line(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec_of("mine", made(TEAMS, **fields))
    assert str(caught.value).startswith(line)


def test_many_labels_are_text() -> None:
    rows = [{"text": "t", "team": f"l{number % 51}"} for number in range(204)]
    with pytest.raises(ConfigError, match="has 51 different values in 204 rows, too many for labels; at most 50"):
        made(rows, label="team")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_rows_without_a_label_are_counted_and_named(empty: str | None) -> None:
    rows = [{**row, "team": empty if number % 4 == 0 else row["team"]} for number, row in enumerate(TEAMS)]
    with pytest.raises(ConfigError, match=r"column 'team' holds nothing in 2 rows \(train row 0, train row 4;"):
        made(rows, label="team")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"text": None}, "column 'text' holds nothing in 1 row (train row 3; the first is 0): fill or remove them"),
        ({"text": " "}, "the input holds nothing in 1 row (train row 3;"),
        ({"answer": ""}, "the answer holds nothing in 1 row (train row 3;"),
    ],
)
def test_rows_without_input_or_answer_are_named(change: dict[str, Any], line: str) -> None:
    rows = [{"text": f"t{number}", "answer": "a"} for number in range(5)]
    rows[3] |= change
    raw = {"train": pa.Table.from_pylist(rows)}
    row = row_of(Wanted("mine", "{text}", output="{answer}"), raw, "mine.csv", SPLITS)
    with pytest.raises(ConfigError) as caught:
        check_filled(raw, spec_of("mine", row))
    assert str(caught.value).startswith(line)
