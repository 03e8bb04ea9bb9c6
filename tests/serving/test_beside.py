"""A cell beside another one: which it is, by which run, and by whose training arguments."""

from dataclasses import replace

import pytest
from catalogs import catalog_of
from project import Project, project
from recorded import LORA, ZERO, ids, original, recorded

from peft_pipelines.config import Cell
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.beside import beside_of, recorded_beside
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell, loaded
from peft_pipelines.serving.recorded_cell import recorded_cell
from peft_pipelines.serving.server import load_cells

__all__ = ["original", "project", "recorded"]

ROWS = {"methods": ["lora", "ia3"], "models": ["tiny", "small"], "tasks": ["mood"], "seeds": ["s0", "s1"]}


def test_a_method_stands_for_the_first_cells_other_names() -> None:
    assert beside_of(Cell.of(LORA), "ia3", ROWS).id == "ia3.tiny.mood.s0"
    assert beside_of(Cell.of(LORA), "ia3.tiny.mood.s1", ROWS).id == "ia3.tiny.mood.s1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lora", f"--beside: must be another cell than '{LORA}', got 'lora'"),
        (LORA, f"--beside: must be another cell than '{LORA}', got '{LORA}'"),
        ("ia4", "--beside: unknown method 'ia4', did you mean 'ia3'? Allowed: ia3, lora"),
        ("ia3.small.mood.s0", f"--beside: must have the base model of '{LORA}', got 'ia3.small.mood.s0'"),
        ("ia3.tiny.moods.s0", "cell: unknown task 'moods', did you mean 'mood'? Allowed: mood"),
    ],
)
def test_what_cannot_stand_beside_is_refused(name: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        beside_of(Cell.of(LORA), name, ROWS)
    assert str(caught.value) == words


def test_a_cell_is_named_once_however_it_is_named(recorded: Project) -> None:
    with catalog_of(recorded) as catalog, pytest.raises(ConfigError, match=f"must name each once, got '{ZERO}' twice"):
        load_cells(catalog, [LORA, ZERO], [ZERO], None)


def test_the_untuned_model_has_no_training_arguments_of_a_method(recorded: Project) -> None:
    with catalog_of(recorded) as catalog:
        cell = load_cell(catalog, LORA)
        plain = cell.recorded.training.max_length
        method = cell.recorded.method.model_copy(update={"training": {"max_length": plain // 2}})
        changed = LoadedCell(replace(cell.recorded, method=method), cell.answerer)
        assert changed.recorded.training_args.max_length == plain // 2
        beside = loaded(catalog, recorded_beside(catalog, changed.recorded, "zero_shot"))
    assert beside.recorded.training_args.max_length == plain
    assert beside.answerer.prompter.max_length == cell.answerer.prompter.max_length


def test_a_run_is_that_of_both_where_it_has_both(recorded: Project) -> None:
    first = ids()[0]
    recorded.task["instruction"] = "Is it good?"
    recorded.grid["methods"] = ["lora"]
    assert recorded.kedro("run").exit_code == 0
    recorded.grid["methods"] = ["lora", "zero_shot"]
    second = ids()[1]
    with catalog_of(recorded) as catalog:
        older, now = (recorded_cell(catalog, Cell.of(one), run) for one, run in ((ZERO, first), (LORA, second)))
        assert recorded_beside(catalog, older, LORA, first).run.id == first
        assert recorded_beside(catalog, older, LORA).run.id == second
        assert recorded_beside(catalog, now, ZERO, second).run.id == first
