"""A grid that is refused, by whatever is checked before its first cell, leaves its environment as it was."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from abroad import abroad, grid, where
from project import PARAMETERS, Project

from peft_pipelines import Grid, run
from peft_pipelines.api.written_rows import GridFiles, files_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.tracking.trackers import trackers

__all__ = ["abroad"]

MOOD: dict[str, Any] = PARAMETERS["tasks"]["mood"]
REFUSED: dict[str, tuple[Callable[[], Grid], str]] = {
    "an unknown method": (lambda: grid("loar"), "grid.yml: unknown method 'loar', did you mean 'lora'?"),
    "a training value": (lambda: grid("lora", training={"epochs": -1}), "training, epochs: "),
    "a type": (lambda: grid("lora", training={"epochs": "2"}), "training, epochs: Input should be a valid number"),
    "a task's row": (lambda: grid("lora", tasks={"mood": {**MOOD, "metrics": ["acuracy"]}}), "task 'mood', metrics: "),
    "a row that is none": (lambda: grid("lora", methods={"lora": 3}), "method 'lora': must be a row of fields, got 3"),
    "an interpolation": (lambda: grid("lora", training={"epochs": "${nothing}"}), "conf/trial/parameters.yml, line "),
    "a method's config": (
        lambda: grid("lora", methods={"lora": {"config": {"target_modules": ["q"]}}}),
        "method 'lora' on model type 'llama': unknown",
    ),
    "a column": (lambda: grid("lora", tasks={"mood": {**MOOD, "input": "{sentense}"}}), "task 'mood', split 'train'"),
    "a tracker": (lambda: grid("lora", trackers=["abacus"]), "parameters, trackers"),
}


def state(conf: Path) -> dict[str, Any]:
    """Every path of the configuration, with what tells whether a file has been written anew."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in conf.rglob("*") if path.is_file()} | {
        str(path): None for path in conf.rglob("*") if path.is_dir()
    }


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_whatever_refuses_a_grid_leaves_its_environment_as_it_was(abroad: Project, known: bool) -> None:
    conf = abroad.folder / "conf"
    if known:
        files_of(grid("zero_shot"), abroad.folder, "trial").write()
        (conf / "trial/globals.yml").write_text("store: elsewhere\n")
    before = state(conf)
    for told, (made, words) in REFUSED.items():
        with pytest.raises(ConfigError) as caught:
            run(made(), **where(abroad), raw="raw", workers=1)
        assert str(caught.value).startswith(words) and "\n" not in str(caught.value), told
        assert state(conf) == before, told


def test_a_fault_of_a_raw_row_leaves_it_too(abroad: Project) -> None:
    files_of(grid("zero_shot"), abroad.folder, "trial").write()
    before = state(abroad.folder / "conf")
    abroad.rows(train=[{"sentence": "fine", "label": 7}])
    with pytest.raises(ConfigError, match=r"^task 'mood', .*7"):
        run(grid("lora"), **where(abroad), raw="raw", workers=1)
    shutil.rmtree(abroad.folder / "raw")
    with pytest.raises(ConfigError, match="mood"):
        run(grid("lora"), **where(abroad), raw="raw", workers=1)
    assert state(abroad.folder / "conf") == before


def test_a_tracker_that_is_not_installed_leaves_it_too(abroad: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    before = state(abroad.folder / "conf")
    with pytest.raises(ConfigError, match=r"^trackers: 'mlflow' is not installed"):
        run(grid("lora", trackers=["mlflow"]), **where(abroad), raw="raw", workers=1)
    assert state(abroad.folder / "conf") == before


def test_a_grid_is_checked_beside_the_other_files_of_its_environment(abroad: Project) -> None:
    folder = abroad.folder / "conf/trial"
    (folder / "parameters").mkdir(parents=True)
    (folder / "parameters/more.yml").write_text("methods:\n  lora:\n    confg: {}\n")
    with pytest.raises(ConfigError, match=r"^method 'lora': unknown field 'confg'"):
        run(grid("lora"), **where(abroad), raw="raw", workers=1)
    assert [path.name for path in folder.iterdir()] == ["parameters"]


def test_a_run_is_of_its_own_grid_whatever_is_written_meanwhile(
    abroad: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = GridFiles.write

    def overtaken(self: GridFiles) -> None:
        write(self)
        write(files_of(grid("zero_shot"), abroad.folder, "trial"))

    monkeypatch.setattr(GridFiles, "write", overtaken)
    found = run(grid("lora"), **where(abroad), raw="raw", workers=1)
    assert found.method.tolist() == ["majority", "random", "lora"]
