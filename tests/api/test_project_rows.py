"""Rows that were saved are read again as they were, with the model where the project has it today."""

from pathlib import Path

import pytest
from project import Project, project

from peft_pipelines.api.project_rows import OWN, SavedRows, rows_again, rows_of

__all__ = ["project"]


def test_saved_rows_are_the_same_rows_with_the_models_folder_of_today(project: Project) -> None:
    project.write("local")
    made = rows_of(project.folder, "lora", "tiny", {"epochs": 2})
    saved = made.saved()
    assert saved["model"]["folder"] == "model" and rows_again(project.folder, SavedRows(**saved), "x") == made
    elsewhere = {**saved["model"], "folder": "/elsewhere"}
    assert rows_again(project.folder, SavedRows(**{**saved, "model": elsewhere}), "x") == made
    own = {**elsewhere, "name": OWN}
    assert rows_again(project.folder, SavedRows(**{**saved, "model": own}), "x").weights == Path("/elsewhere")


def test_the_folder_of_a_projects_model_is_from_the_projects(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("local")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    made = rows_of(project.folder, "lora", "tiny", None)
    assert made.weights == project.folder / "model" == Path(str(made.model.folder))
    given = {**project.parameters["models"]["tiny"], "folder": "here"}
    assert rows_of(project.folder, "lora", given, None).weights == Path("here")
