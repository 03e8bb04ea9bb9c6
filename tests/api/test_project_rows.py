"""Rows that were saved are read again as they were, with the model where the project has it today."""

from pathlib import Path

from project import Project, project

from peft_pipelines.api.project_rows import OWN, SavedRows, rows_again, rows_of

__all__ = ["project"]


def test_saved_rows_are_the_same_rows_with_the_models_folder_of_today(project: Project) -> None:
    project.write("local")
    made = rows_of(project.folder, "lora", "tiny", {"epochs": 2})
    saved = made.saved()
    assert rows_again(project.folder, SavedRows(**saved), "x") == made and made.weights == Path("model")
    elsewhere = {**saved["model"], "folder": "/elsewhere"}
    assert rows_again(project.folder, SavedRows(**{**saved, "model": elsewhere}), "x") == made
    own = {**elsewhere, "name": OWN}
    assert rows_again(project.folder, SavedRows(**{**saved, "model": own}), "x").weights == Path("/elsewhere")
