"""A cell in Python answers texts, rows and data frames as its scoring did."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catalogs import stored
from project import ROWS, Project
from recorded import LORA, original, recorded

from peft_pipelines import CellModel, load
from peft_pipelines.api.cell_model import rows_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import base_model

__all__ = ["original", "recorded"]

TEXTS = [row["sentence"] for row in ROWS[:4]]


@pytest.fixture
def cell(recorded: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CellModel]:
    base_model._resident.clear()
    expected = stored(LORA)
    monkeypatch.chdir(tmp_path)
    found = load(LORA, project=recorded.folder, store="data")
    monkeypatch.setattr(found, "expected", expected, raising=False)
    yield found
    found.close()


def test_texts_rows_and_frames_have_the_scored_answers(cell: CellModel) -> None:
    expected = [row["prediction"] for row in cell.expected]
    frame = pd.DataFrame({"sentence": TEXTS, "label": [0, 1, 0, 1]}, index=[7, 5, 3, 1])
    for given in (TEXTS, tuple(TEXTS), np.array(TEXTS), frame["sentence"], frame, ROWS[:4]):
        assert cell.predict(given) == expected
    assert cell.predict([]) == []
    assert (cell.id, cell.columns, cell.labels) == (LORA, ["sentence"], ["bad", "good"])


def test_a_table_of_answers_has_the_index_of_its_rows(cell: CellModel) -> None:
    found = cell.answers(pd.Series(TEXTS, index=list("abcd")))
    assert found.columns.tolist() == ["prediction", "probability_bad", "probability_good", "new_tokens", "stopped"]
    assert found.index.tolist() == list("abcd")
    assert found.prediction.tolist() == [row["prediction"] for row in cell.expected]
    assert np.allclose(found.probability_bad + found.probability_good, 1)
    assert cell.answers([]).columns.tolist() == found.columns.tolist()


def test_a_value_that_is_missing_is_refused(cell: CellModel) -> None:
    with pytest.raises(ConfigError, match=r"row 2"):
        cell.predict(pd.DataFrame({"sentence": ["fine", None]}))
    with pytest.raises(ConfigError, match=r"sentence"):
        cell.predict([{"text": "fine"}])


def test_a_closed_cell_says_so(cell: CellModel) -> None:
    cell.close()
    cell.close()
    for asked in (cell.predict, cell.answers, lambda texts: cell.loaded.stream_answer(texts[0])):
        with pytest.raises(ConfigError, match=rf"^cell '{LORA}': is closed and answers no more; load it again$"):
            asked(TEXTS)


def test_values_of_numpy_are_those_of_python() -> None:
    row = {"n": np.float64(1.5), "k": np.int64(2), "b": np.bool_(True), "c": {"text": np.array(["a", "b"], object)}}
    expected = [{"n": 1.5, "k": 2, "b": True, "c": {"text": ["a", "b"]}}]
    for given in ([row], pd.DataFrame([row])):
        assert str(rows_of(given)) == str(expected)
    assert rows_of(pd.DataFrame({"n": pd.Categorical(["x", None]), 7: [1, 2]})) == [
        {"n": "x", "7": 1},
        {"n": None, "7": 2},
    ]


@pytest.mark.parametrize("names", [["text", "text"], [1, "1"]])
def test_two_columns_of_one_name_are_refused(names: list[object]) -> None:
    with pytest.raises(ConfigError, match=rf"^rows: must have each column once, got '{names[1]}' twice$"):
        rows_of(pd.DataFrame([["a", "b"]], columns=names))


@pytest.mark.parametrize("given", [["fine", "\ud83d"], [{"x": "fine"}, {"x": ["\ud83d"]}]])
def test_half_a_character_is_refused_by_its_row(given: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"^rows, row 2: half a surrogate pair is no text, got '\\ud83d'$"):
        rows_of(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["a text", {"sentence": "a text"}, {"a text"}, 3])
def test_one_row_alone_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match=r"^rows: must be a list of texts, a list of rows or a data frame, got"):
        rows_of(given)  # type: ignore[arg-type]


def test_what_is_no_row_is_told_by_its_number() -> None:
    with pytest.raises(ConfigError, match=r"^rows, row 2: must be a text or a dictionary, got 3$"):
        rows_of(["fine", 3])  # type: ignore[list-item]


def test_a_cell_that_was_not_made_is_told(recorded: Project) -> None:
    with pytest.raises(ConfigError, match=r"^cell: unknown method 'loar', did you mean 'lora'"):
        load("loar.tiny.mood.s0", store="data")
    with pytest.raises(ConfigError, match=r"^cell 'lora.tiny.mood.s0': has not been made"):
        load(LORA, store="elsewhere")
