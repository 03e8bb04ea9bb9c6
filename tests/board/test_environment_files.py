"""Environments of several files in folders: all are read, and each value is changed in the file in which it stands."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from boards import Board, scratch_board, scratch_project
from kedro.framework.startup import bootstrap_project
from method_forms import form_of

from peft_pipelines.board import method_draft, written
from peft_pipelines.board.environment_files import GRID, PARAMETERS, Files, files_of
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.grid_form import Draft
from peft_pipelines.board.method_subject import of_row
from peft_pipelines.board.project import Project
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError

__all__ = ["scratch_board"]

ENV = "parted"
AXES, SEEDS = "grid/axes.yml", "grid/of/seeds.yml"
TRAINING, LORA, ADAPTER = "parameters/training.yml", "parameters/methods/lora.yml", "more/parameters_lora.yml"
PARTED = {
    AXES: "methods: [lora]  # mine\nmodels: [smollm2_135m]\ntasks: [svamp]\n",
    SEEDS: "seeds: [s0, s1]\n",
    TRAINING: "# Short.\ntraining: {epochs: 1, evaluations: 1}\n",
    LORA: "methods:\n  lora:\n    config:\n      r: 3  # small\n",
    ADAPTER: "methods: {lora: {training: {epochs: 2}}}\n",
}


def laid(project: Project, texts: Mapping[str, str], env: str = ENV) -> Files:
    for name, text in texts.items():
        (project.conf / env / name).parent.mkdir(parents=True, exist_ok=True)
        (project.conf / env / name).write_text(text, encoding="utf-8")
    return files_of(project, env)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    bootstrap_project(scratch_project(tmp_path))
    return Project(tmp_path)


def test_all_that_a_run_may_read_is_read(project: Project) -> None:
    others = {"parameters/x.json": "{}", "lock.json": "{}", ".old/grid.yml": "x", "notes.txt": "x", "notes.yml": "x: 1"}
    found = laid(project, {**PARTED, **others})
    assert set(found.texts) == {*PARTED, "parameters/x.json", "notes.yml"}
    assert set(found.documents(GRID)) == {AXES, SEEDS}
    assert found.values(PARAMETERS) == {
        "training": {"epochs": 1, "evaluations": 1},
        "methods": {"lora": {"config": {"r": 3}, "training": {"epochs": 2}}},
    }
    assert files_of(project, "nowhere").texts == {}
    (project.conf / ENV / SEEDS).rename(project.conf / ENV / "grid/more.yml")
    assert files_of(project, ENV).seen != found.seen


MAPS = {"parameters/a.yml": "methods: {x: {}}\n", "parameters/b.yml": "methods: {y: {}}\n"}


@pytest.mark.parametrize(
    ("texts", "kind", "keys", "place"),
    [
        (PARTED, GRID, ("seeds",), SEEDS),
        (PARTED, PARAMETERS, ("training", "epochs"), TRAINING),
        (PARTED, PARAMETERS, ("training", "batch_size"), TRAINING),
        (PARTED, PARAMETERS, ("methods", "lora", "training", "epochs"), ADAPTER),
        (PARTED, PARAMETERS, ("methods", "lora", "config", "lora_alpha"), LORA),
        (PARTED, PARAMETERS, ("methods", "lora", "notes"), "parameters.yml"),
        (MAPS, PARAMETERS, ("methods", "z", "type"), "parameters.yml"),
        ({AXES: "methods: [lora]\n"}, GRID, ("seeds",), AXES),
        ({"grid.yml": "{methods: [lora]}\n"}, GRID, ("seeds",), "grid.yml"),
        ({**PARTED, "grid.yml": "lr_search: {factors: [1.0]}\n"}, GRID, ("lr_search",), "grid.yml"),
        ({}, GRID, ("seeds",), "grid.yml"),
    ],
)
def test_a_value_is_set_where_it_stands(
    texts: dict[str, str], kind: str, keys: tuple[str, ...], place: str, project: Project
) -> None:
    (project.conf / ENV).mkdir()
    before = laid(project, texts)
    after = before.with_values(kind, {keys: ["new"]}, "# head\n")
    assert [name for name in after.texts if after.texts[name] != before.texts.get(name)] == [place]
    found: Any = after.values(kind)
    for key in keys:
        found = found[key]
    assert found == ["new"]
    assert after.texts[place].startswith(texts.get(place, "# head\n")[:8])


def test_what_no_page_can_change_is_refused_in_one_line(project: Project) -> None:
    parted = laid(project, {f"parameters/{name}.yml": "methods: {x: {}}\n" for name in ("a", "b")})
    with pytest.raises(ConfigError, match=r"^conf/parted/parameters/a.yml and conf/.*/b.yml: 'methods.x' is "):
        parted.with_values(PARAMETERS, {("methods", "x"): {}}, "")
    of_json = laid(project, {"grid/a.json": '{"seeds": ["s0"]}'})
    with pytest.raises(ConfigError, match=r"^conf/parted/grid/a.json: JSON is read, but not written here: .* 'seeds' "):
        of_json.with_values(GRID, {("seeds",): ["s1"]}, "")


def asked(board: Board, what: str, name: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    axes = {"methods": ["lora"], "models": ["smollm2_135m"], "tasks": ["svamp"], "seeds": ["s0", "s1"]}
    seen = files_of(Project(board.root), ENV).seen
    body = {"env": ENV, "name": name, "seen": seen, "factors": "1.0", "training": {}, **axes, **fields}
    status, text, _ = board.sent("POST", f"/grid/{what}", json.dumps(body), **{"Content-Type": "application/json"})
    return status, json.loads(text)


def test_the_page_grid_writes_no_second_file(scratch_board: Board) -> None:
    project = Project(scratch_board.root)
    laid(project, PARTED)
    assert f"conf/{ENV}/{SEEDS}" in scratch_board.sent("GET", f"/grid?env={ENV}")[1]
    changes = {"methods": ["lora", "ia3"], "seeds": ["s1"], "training": {"epochs": "2", "evaluations": "1"}}
    _, shown = asked(scratch_board, "preview", ENV, **changes)
    status, done = asked(scratch_board, "save", ENV, **changes)
    assert (status, set(done["files"])) == (200, {f"conf/{ENV}/{name}" for name in PARTED})
    found = files_of(project, ENV).texts
    assert {f"conf/{ENV}/{name}": text for name, text in found.items()} == shown["files"]
    assert {name: text for name, text in found.items() if text != PARTED[name]} == {
        AXES: PARTED[AXES].replace("[lora]", "[lora, ia3]"),
        SEEDS: "seeds: [s1]\n",
        TRAINING: PARTED[TRAINING].replace("epochs: 1", "epochs: 2"),
    }
    rows = rows_of(project, ENV)
    assert (rows.grid.methods, rows.grid.seeds, rows.parameters.training.epochs) == (("lora", "ia3"), ("s1",), 2)
    assert asked(scratch_board, "save", "copied", **changes)[0] == 200
    copy = rows_of(project, "copied")
    assert (copy.grid, copy.parameters) == (rows.grid, rows.parameters)


def test_the_page_method_changes_each_field_where_it_stands(project: Project) -> None:
    laid(project, PARTED)
    form = form_of(project, ENV, of_row(project, ENV, "lora"), config__r="5", training__epochs="4")
    made, wrong = method_draft.draft(project, form)
    assert made and not wrong
    method_draft.checked(project, made)
    written.write(project, made.draft)
    found = files_of(project, ENV).texts
    assert {name: text for name, text in found.items() if text != PARTED[name]} == {
        LORA: PARTED[LORA].replace("r: 3", "r: 5"),
        ADAPTER: PARTED[ADAPTER].replace("epochs: 2", "epochs: 4"),
    }
    assert rows_of(project, ENV).parameters.methods["lora"] == made.method


def test_credentials_stay_where_they_are(project: Project) -> None:
    laid(project, {**PARTED, "credentials.yml": "mine: {token: secret}\n", "of/credentials_more.json": "{}"})
    texts = files_of(project, ENV).texts
    assert set(texts) == set(PARTED)
    with drafted(project.conf, ENV, texts) as conf:
        assert Project(project.root, conf).loader(ENV)["credentials"] == {"mine": {"token": "secret"}}
    written.write(project, Draft("copied", texts, 0))
    assert not list((project.conf / "copied").rglob("credentials*"))


def test_a_folder_that_is_linked_here_stays_as_it_is(project: Project) -> None:
    laid(project, {"grid/axes.yml": PARTED[AXES]}, "theirs")
    laid(project, {TRAINING: PARTED[TRAINING]})
    (project.conf / ENV / "grid").symlink_to("../theirs/grid")
    texts = files_of(project, ENV).with_values(PARAMETERS, {("training", "epochs"): 3}, "").texts
    written.write(project, Draft(ENV, texts, 0))
    changed = files_of(project, ENV).with_values(GRID, {("methods",): ["ia3"]}, "").texts
    with pytest.raises(ConfigError, match=r"^conf/parted/grid/axes.yml: lies in '.*/theirs/grid', a folder that is "):
        written.write(project, Draft(ENV, changed, 0))
    assert (project.conf / "theirs/grid/axes.yml").read_text(encoding="utf-8") == PARTED[AXES]
