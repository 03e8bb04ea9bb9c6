"""Examples of a split answered by other decoding values: the answers as scored, shorter ones, and drawn ones."""

from collections.abc import Iterator

import pytest
from catalogs import catalog_of, stored
from kedro.io import DataCatalog
from project import ROWS, Project, project
from recorded import LORA, ZERO, original, recorded

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.loading import load_cell
from peft_pipelines.serving.predict_split import answered_by, split_of
from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell
from peft_pipelines.serving.sampling_options import Sampling

__all__ = ["original", "project", "recorded"]


@pytest.fixture
def catalog(recorded: Project) -> Iterator[DataCatalog]:
    with catalog_of(recorded) as found:
        yield found


def test_the_values_of_scoring_give_the_answers_that_were_scored(catalog: DataCatalog) -> None:
    cell = load_cell(catalog, LORA)
    lines = split_of(catalog, cell.recorded, "test", None).to_pylist()
    assert answered_by(cell, lines) == stored(LORA)
    assert [row["prompt"] for row in split_of(catalog, cell.recorded, "test", 2).to_pylist()] == [
        row["prompt"] for row in stored(LORA)[:2]
    ]
    assert split_of(catalog, cell.recorded, "validation", None).num_rows == 2


def test_likelihoods_stand_whatever_is_drawn(catalog: DataCatalog) -> None:
    cell, hot = load_cell(catalog, ZERO), Sampling(temperature=50.0, seed=1)
    lines = split_of(catalog, cell.recorded, "test", None).to_pylist()
    drawn = answered_by(cell, lines, 4, hot)
    for row, scored in zip(drawn, stored(ZERO), strict=True):
        assert row["label_scores"] == pytest.approx(scored["label_scores"], abs=1e-4)
        assert row["new_tokens"] <= 4 and row["references"] == scored["references"]
    assert [row["prediction"] for row in drawn] != [row["prediction"] for row in stored(ZERO)]
    parts = [answered_by(cell, lines[:1], 4, hot), answered_by(cell, lines[1:], 4, hot, first=1)]
    assert [row["prediction"] for part in parts for row in part] == [row["prediction"] for row in drawn]
    assert all(row["new_tokens"] == 1 for row in answered_by(cell, lines, 1))


def test_what_cannot_be_asked_is_one_line(recorded: Project, catalog: DataCatalog) -> None:
    found = recorded_cell(catalog, cell_of([LORA], catalog.load("parameters")))
    with pytest.raises(ConfigError, match=r"split: unknown split 'train'\. Allowed: validation, test"):
        split_of(catalog, found, "train", None)
    cell = load_cell(catalog, LORA)
    with pytest.raises(ConfigError, match="must fit into the model's"):
        answered_by(cell, [{"prompt": "x", "references": ["good"]}], 100_000)
    recorded.rows(train=[{**row, "sentence": f"another {row['sentence']}"} for row in ROWS], test=ROWS[:4])
    assert recorded.kedro("run", "--pipeline=data").exit_code == 0
    with pytest.raises(ConfigError, match="it was made with other prompts of task 'mood' than those of this store"):
        split_of(catalog, found, "test", None)
