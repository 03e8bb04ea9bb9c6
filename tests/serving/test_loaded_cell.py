"""A loaded cell answers as its scoring did, and beside another cell on the same base."""

from collections.abc import Iterator
from typing import Any

import pytest
import tiny
from catalogs import catalog_of, stored
from kedro.io import DataCatalog
from project import ROWS, Project, project
from recorded import LORA, ZERO, original, recorded

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import base_model
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell
from peft_pipelines.serving.probabilities import probabilities

__all__ = ["original", "project", "recorded"]

TEST = ROWS[:4]
FEW = "few_shot.tiny.mood.s0"


@pytest.fixture
def catalog(recorded: Project) -> Iterator[DataCatalog]:
    base_model._resident.clear()
    with catalog_of(recorded) as found:
        yield found


@pytest.fixture
def lora(catalog: DataCatalog) -> LoadedCell:
    return load_cell(catalog, LORA)


@pytest.mark.parametrize("cell", [LORA, ZERO])
def test_the_test_rows_are_answered_as_they_were_scored(catalog: DataCatalog, cell: str) -> None:
    assert load_cell(catalog, cell).predict(TEST) == stored(cell)


def test_shots_stand_before_each_prompt_as_in_scoring(recorded: Project) -> None:
    recorded.grid["methods"] = ["few_shot"]
    done = recorded.kedro("run", "--pipeline=benchmark")
    assert done.exit_code == 0, done.output
    with catalog_of(recorded) as catalog:
        cell = load_cell(catalog, FEW)
        assert cell.predict(TEST) == stored(FEW) and len(cell.answerer.shots) == 4
        texts = [row["sentence"] for row in TEST]
        assert ["".join(cell.stream_answer(text)) for text in texts] == [row["prediction"] for row in stored(FEW)]
    recorded.rows(train=[{**row, "sentence": f"another {row['sentence']}"} for row in ROWS], test=TEST)
    assert recorded.kedro("run", "--pipeline=data").exit_code == 0
    with catalog_of(recorded) as catalog, pytest.raises(ConfigError, match="shots were drawn from other prompts"):
        load_cell(catalog, FEW)


def test_rows_without_labels_are_answered_alike(lora: LoadedCell) -> None:
    bare = [{"sentence": row["sentence"]} for row in TEST]
    expected = [{key: value for key, value in row.items() if key != "references"} for row in stored(LORA)]
    assert lora.predict(bare) == expected
    assert lora.predict([row["sentence"] for row in TEST]) == expected
    assert lora.predict([]) == []


def test_label_probabilities_are_those_among_the_labels(lora: LoadedCell) -> None:
    found = lora.label_probabilities(["line 0", "line 1"])
    expected = [probabilities(row["label_scores"]) for row in stored(LORA)[:2]]
    assert found == [pytest.approx(each, rel=1e-5) for each in expected]  # other rows beside them: other last bits
    assert all(set(each) == {"bad", "good"} and abs(sum(each.values()) - 1) < 1e-9 for each in found)


def test_what_is_streamed_is_what_is_predicted(lora: LoadedCell) -> None:
    assert lora.prompt("line 0") == "Good or bad?\n\nSentence: line 0" == stored(LORA)[0]["prompt"]
    for row, expected in zip(TEST, stored(LORA), strict=True):
        assert "".join(lora.stream_answer(row["sentence"])) == expected["prediction"]
        messages = [{"role": "user", "content": expected["prompt"]}]
        assert "".join(lora.stream(messages, max_new_tokens=5)) == expected["prediction"]
    assert len("".join(lora.stream_answer("line 0", max_new_tokens=2))) <= 2


def test_cells_of_one_model_share_its_weights(catalog: DataCatalog, lora: LoadedCell) -> None:
    zero = load_cell(catalog, ZERO)
    assert zero.answerer.base is lora.answerer.base
    first, second = (
        next(one.answerer.attached.core.get_input_embeddings().parameters()).data_ptr() for one in (lora, zero)
    )
    assert first == second
    before = zero.predict(TEST)
    assert lora.predict(TEST) == stored(LORA) and zero.predict(TEST) == before == stored(ZERO)
    lora.close()
    assert zero.predict(TEST) == before


def test_rows_that_do_not_fit_are_one_line(lora: LoadedCell) -> None:
    refused: list[tuple[list[Any], str]] = [
        ([{"text": "x"}], "task 'mood', row 1: unknown column 'sentence'. Allowed: text"),
        ([{"sentence": "x"}, {"sentence": None}], "row 2: column 'sentence' is null, it must hold a value"),
        ([{"sentence": "x", "label": 0}, {"sentence": "y"}], "row 2: unknown column 'label'"),
        ([{"sentence": "x", "label": 7}], "row 1: unknown label '7'"),
        (["  "], "row 1: empty input"),
    ]
    for rows, words in refused:
        with pytest.raises(ConfigError) as caught:
            lora.predict(rows)
        assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"a prompt of \d+ tokens with 1020 of an answer must fit into the model's"):
        lora.stream([{"role": "user", "content": "hello"}], max_new_tokens=1020)


def test_another_base_is_refused(recorded: Project, catalog: DataCatalog) -> None:
    tiny.fresh("qwen2").save_pretrained(recorded.folder / "model")
    with pytest.raises(ConfigError, match="the weights of model 'tiny' must be those that it was trained on"):
        load_cell(catalog, LORA)
    (recorded.folder / "model/config.json").unlink()
    with pytest.raises(ConfigError, match=r"model 'tiny': its weights are not there \(looked in 'model'\)"):
        load_cell(catalog, LORA)
