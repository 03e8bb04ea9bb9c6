"""A row is tried on a real model without weights before it is written; a refusal stands at its field."""

import json
from collections.abc import Iterator

import pytest
from board_runs import tiny_project
from boards import Board, shown
from method_forms import form_of, required

from peft_pipelines.board.method_subject import of_row, of_type
from peft_pipelines.board.method_trial import place_of
from peft_pipelines.board.project import Project


@pytest.fixture(scope="module")
def tiny_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("project")
    tiny_project(folder)
    with shown(folder) as found:
        yield found


@pytest.mark.parametrize(
    ("texts", "key", "reason"),
    [
        ({"config__target_modules": "[q_prj]"}, "config.target_modules", "unknown target module 'q_prj', did you mean"),
        ({"config__lora_alpha": "0"}, "config.lora_alpha", "config: lora_alpha must not be 0"),
        ({"config__r": "0"}, "config.r", "method 'lora'"),
        ({"training__loss": "{type: none}"}, "training.loss", "unknown type 'none'"),
        ({"row__optimizer": "{type: adam}"}, "row.optimizer", "unknown type 'adam'"),
    ],
    ids=str,
)
def test_a_refusal_of_the_model_stands_at_its_field(
    tiny_board: Board, texts: dict[str, str], key: str, reason: str
) -> None:
    project = Project(tiny_board.root)
    path = tiny_board.root / "conf/local/parameters.yml"
    before = path.read_text(encoding="utf-8")
    body = form_of(project, "local", of_row(project, "local", "lora"), **texts).model_dump_json()
    _, text, _ = tiny_board.sent("POST", "/method/save", body, **{"Content-Type": "application/json"})
    wrong = json.loads(text)["wrong"]
    assert list(wrong) == [key] and reason in wrong[key], wrong
    assert path.read_text(encoding="utf-8") == before


def test_a_sound_row_says_on_which_models_it_was_tried(tiny_board: Board) -> None:
    project = Project(tiny_board.root)
    subject = of_type(project, "local", "hf_peft", "LORA")
    form = form_of(project, "local", subject, "mine", **{**required(subject), "config__r": "2"})
    _, text, _ = tiny_board.sent("POST", "/method/save", form.model_dump_json(), **{"Content-Type": "application/json"})
    assert json.loads(text)["row"] == "mine" and len(json.loads(text)["tried"]) == 1


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("method 'lora', config: `r` should be a positive integer value but the value passed is 0", "config.r"),
        ("method 'lora' on model type 'llama': unknown module to save 'x'. Allowed: y", "config.modules_to_save"),
        ("method 'lora' on model type 'llama': unknown module in rank_pattern 'x'. Allowed: y", "config.rank_pattern"),
        ("method 'lora' on model type 'llama': layers_to_transform must be from 0 to 1", "config.layers_to_transform"),
        ("method 'lora', training: loss must be one of these", "training.loss"),
        ("method 'lora', shots: must be fewer", "row.shots"),
        ("method 'lora', config: leaves nothing to train", "config"),
        ("something else", "config"),
    ],
)
def test_the_field_of_a_refusal_is_found(tiny_board: Board, message: str, key: str) -> None:
    project = Project(tiny_board.root)
    assert place_of(message, of_row(project, "local", "lora")) == key
