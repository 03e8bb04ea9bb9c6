"""The tiny project seen from another folder, as a notebook outside of it does."""

from pathlib import Path
from typing import Any

import pytest
from project import PARAMETERS, Project

from peft_pipelines import Grid


@pytest.fixture
def abroad(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A sound project whose folder is not the current one."""
    made, elsewhere = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("PEFT_DIR", str(made / "methods"))
    monkeypatch.setenv("KEDRO_LOGGING_CONFIG", str(made / "conf/logging.yml"))
    monkeypatch.chdir(elsewhere)
    return Project(made)


def grid(*methods: str, **rows: Any) -> Grid:
    """A grid of the project's own model and task."""
    own = {key: PARAMETERS[key] for key in ("models", "tasks", "training", "sampling")}
    return Grid(methods=methods, models=["tiny"], tasks=["mood"], rows={**own, **rows})


def where(project: Project) -> dict[str, Any]:
    """What a function of the interface is told about the project and its environment."""
    return {"project": project.folder, "env": "trial"}


def nothing_left(folder: Path) -> bool:
    """Whether a folder is as empty as it was."""
    return not list(folder.iterdir())
