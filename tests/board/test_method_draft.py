"""A method's row in an environment's files: what is written is read back as the same row, and nothing else changes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from boards import scratch_project
from kedro.framework.startup import bootstrap_project
from method_forms import form_of

from peft_pipelines.board import written
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.method_draft import Made, checked, draft
from peft_pipelines.board.method_subject import copied, of_row, of_type
from peft_pipelines.board.project import Project
from peft_pipelines.config.errors import ConfigError

ENV = "smoke"
FILE = f"conf/{ENV}/parameters.yml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    bootstrap_project(scratch_project(tmp_path))
    return Project(tmp_path)


def made(project: Project, row: str = "lora", env: str = ENV, **texts: str) -> Made:
    found, wrong = draft(project, form_of(project, env, of_row(project, env, row), **texts))
    assert found and not wrong, wrong
    return found


def saved(project: Project, row: str = "lora", **texts: str) -> dict[str, Any]:
    """The environment's own values of a row once a form has been written; the row itself is the form's."""
    found = made(project, row, **texts)
    checked(project, found)
    written.write(project, found.draft)
    assert rows_of(project, ENV).parameters.methods[row] == found.method
    own = yaml.safe_load((project.root / FILE).read_text(encoding="utf-8"))
    return dict(own.get("methods", {}).get(row, {}))


def test_what_is_the_same_changes_nothing(project: Project) -> None:
    found = made(project)
    assert found.changed == ()
    assert found.draft.texts["parameters.yml"] == (project.root / FILE).read_text(encoding="utf-8")


def test_only_what_differs_is_written(project: Project) -> None:
    before = (project.root / FILE).read_text(encoding="utf-8")
    assert saved(project, config__r="4", training__epochs="0.5", row__keep_weights="false") == {
        "config": {"r": 4},
        "training": {"epochs": 0.5},
        "keep_weights": False,
    }
    assert (project.root / FILE).read_text(encoding="utf-8").startswith(before)


def test_a_row_that_is_reset_stands_in_no_file_any_more(project: Project) -> None:
    before = (project.root / FILE).read_text(encoding="utf-8")
    base = of_row(project, ENV, "lora")
    saved(project, config__r="4", config__use_rslora="true")
    begun = {"config__r": str(base.values["config"]["r"]), "config__use_rslora": ""}
    assert saved(project, **begun) == {}
    assert (project.root / FILE).read_text(encoding="utf-8") == before


def test_a_text_that_yaml_takes_for_more_comes_back(project: Project) -> None:
    own = saved(
        project, row__notes="1e5", row__source="${globals:store}\n# two lines: x", config__layers_pattern="'no'"
    )
    assert own["notes"] == "1e5" and own["config"]["layers_pattern"] == "no"


def test_the_files_of_the_base_stay(project: Project) -> None:
    base = project.root / "conf/base"
    before = {path: path.read_bytes() for path in base.rglob("*.yml")}
    saved(project, config__r="4")
    assert {path: path.read_bytes() for path in base.rglob("*.yml")} == before
    form = form_of(project, ENV, of_row(project, ENV, "lora"), config__r="4")
    assert list(draft(project, form.model_copy(update={"name": "base"}))[1]) == ["name"]
    assert list(draft(project, form.model_copy(update={"name": "../base"}))[1]) == ["name"]
    with pytest.raises(ConfigError, match="unknown method 'lorra', did you mean 'lora'"):
        draft(project, form.model_copy(update={"row": "lorra"}))


def test_what_the_base_gives_cannot_be_left_out(project: Project) -> None:
    form = form_of(project, ENV, of_row(project, ENV, "lora"), config__r="")
    wrong = draft(project, form)[1]
    assert list(wrong) == ["config.r"]
    assert "cannot be left out, since conf/base gives" in wrong["config.r"]


def test_a_key_of_the_base_cannot_be_taken_away(project: Project) -> None:
    path = project.root / "conf/base/parameters/methods/lora.yml"
    row = yaml.safe_load(path.read_text(encoding="utf-8"))
    row["methods"]["lora"]["config"]["rank_pattern"] = {"q_proj": 4}
    path.write_text(yaml.safe_dump(row), encoding="utf-8")
    form = form_of(project, ENV, of_row(project, ENV, "lora"), config__rank_pattern="{v_proj: 2}")
    assert "would be {'q_proj': 4, 'v_proj': 2}" in draft(project, form)[1]["config.rank_pattern"]
    saved(project, config__rank_pattern="{q_proj: 8}")


def test_a_new_row_is_written_whole(project: Project) -> None:
    copy = copied(of_row(project, ENV, "lora"))
    form = form_of(project, ENV, copy, "mine", config__r="2")
    found, wrong = draft(project, form.model_copy(update={"name": "fresh"}))
    assert found and not wrong
    checked(project, found)
    files = written.write(project, found.draft)
    assert files == ["conf/fresh/grid.yml", "conf/fresh/parameters.yml"]
    lora = rows_of(project, ENV).parameters.methods["lora"]
    mine = rows_of(project, "fresh").parameters.methods["mine"]
    assert mine == lora.model_copy(update={"name": "mine", "config": {**lora.config, "r": 2}})
    assert "\n  mine:\n    provider: hf_peft\n" in (project.root / files[1]).read_text(encoding="utf-8")
    assert (project.root / FILE).read_text(encoding="utf-8").find("mine") < 0


def test_an_environment_without_files_gets_one(project: Project) -> None:
    subject = of_type(project, "local", "weights", "last_layers")
    form = form_of(project, "local", subject, "top", row__citation="someone 2026", config__layers="1")
    found, wrong = draft(project, form)
    assert found and not wrong
    assert list(found.draft.texts) == ["parameters.yml"]
    written.write(project, found.draft)
    assert rows_of(project, "local").parameters.methods["top"].config == {"layers": 1}
    emptied, wrong = draft(project, form_of(project, "local", of_row(project, "local", "top"), training__epochs="1"))
    assert emptied and emptied.method.training == {"epochs": 1}


def test_a_row_in_another_file_is_changed_there(project: Project) -> None:
    path = project.root / f"conf/{ENV}/parameters_mine.yml"
    path.write_text("methods: {lora: {config: {r: 3}}}  # mine\n", encoding="utf-8")
    found = made(project, config__r="5")
    assert found.draft.texts[path.name] == "methods: {lora: {config: {r: 5}}}  # mine\n"
    checked(project, found)


def test_execution_cannot_be_switched_on(project: Project) -> None:
    subject = of_row(project, ENV, "lora")
    for texts in ({"row": {"execution": "true"}}, {"training": {"execution": "{enabled: true}"}}, {"execution": {}}):
        form = form_of(project, ENV, subject).model_copy(update={"texts": texts})
        found, wrong = draft(project, form)
        assert wrong or (found and found.changed == ())
