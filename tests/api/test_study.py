"""A grid that Python runs is the command line's: its rows, its cells, its errors."""

import json
from pathlib import Path

import pytest
from abroad import abroad, grid, nothing_left, where
from project import Project
from recorded import original, recorded

from peft_pipelines import results, run
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.failures import PartsFailed

__all__ = ["abroad", "original", "recorded"]


def test_a_grid_runs_from_another_folder(abroad: Project, capfd: pytest.CaptureFixture[str]) -> None:
    rank_two = {"config": {"r": 2}, "training": {"learning_rate": 1e-2}}
    asked = grid("zero_shot", "lora", methods={"lora": rank_two}, tasks=abroad.parameters["tasks"])
    found = run(asked, **where(abroad), raw="raw", workers=1)
    told = found.set_index("method")
    assert list(told.index) == ["majority", "random", "zero_shot", "lora"]
    assert told.status[["zero_shot", "lora"]].tolist() == ["done", "done"]
    assert told.primary_low["lora"] <= told.primary["lora"] <= told.primary_high["lora"]
    assert told.trainable_parameters["lora"] == 2 * (2 * (32 + 32) + 2 * (32 + 16))  # two layers, q and v
    assert told.train_seconds["lora"] > 0
    assert nothing_left(Path.cwd())
    assert "Written:" in capfd.readouterr().out
    assert results(**where(abroad)).equals(found)


def test_what_has_run_is_skipped_from_either_side(recorded: Project) -> None:
    asked = grid("zero_shot", "lora")
    run(asked, env="trial", raw="raw", store="data", workers=1)
    assert len(list(Path("data/06_models").rglob("record.json"))) == 2  # versions: nothing was trained again
    done = recorded.kedro("plan", "--env=trial", "--params=raw=raw,store=data", "--json")
    assert json.loads(done.stdout)["unchanged"] == 2, done.stdout


def test_the_results_of_a_run_of_the_command_line(recorded: Project) -> None:
    assert results(store="data").cell.dropna().tolist() == ["zero_shot.tiny.mood.s0", "lora.tiny.mood.s0"]


def test_without_a_grid_the_environments_own_runs(recorded: Project) -> None:
    recorded.grid["methods"] = ["zero_shot"]
    recorded.write("local")
    assert run(raw="raw", store="data", workers=1).method.tolist() == ["majority", "random", "zero_shot"]


@pytest.mark.parametrize(
    ("methods", "rows", "words"),
    [
        (["loar"], {}, "grid.yml: unknown method 'loar', did you mean 'lora'"),
        (["lora"], {"training": {"epochs": "2"}}, "training, epochs: Input should be a valid number, got '2'"),
        (["lora"], {"methods": {"lora": {"confg": {}}}}, "method 'lora': unknown field 'confg', did you mean 'config'"),
        (["mine"], {"methods": {"mine": {"provider": "hf_peft"}}}, "method 'mine', type: Field required"),
        (
            ["lora"],
            {"methods": {"lora": {"config": {"target_modules": ["q"]}}}},
            "method 'lora' on model type 'llama': unknown",
        ),
    ],
)
def test_a_row_that_is_wrong_ends_it_before_a_cell(abroad: Project, methods, rows, words) -> None:
    with pytest.raises(ConfigError) as caught:
        run(grid(*methods, **rows), **where(abroad), raw="raw", workers=1)
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"^--env: unknown environment 'trial'"):
        results(**where(abroad))


def test_results_before_the_first_run_are_told(abroad: Project) -> None:
    with pytest.raises(ConfigError, match=r"^results: none are there \(looked in '.*'\); run the grid first$"):
        results(project=abroad.folder, env="smoke", store="nowhere")


def test_a_cell_that_fails_is_told_and_stands_in_the_results(abroad: Project) -> None:
    wild = {"lora": {"training": {"learning_rate": 1e30}}}
    with pytest.raises(PartsFailed, match=r"1 of 2 cells failed"):
        run(grid("zero_shot", "lora", methods=wild), **where(abroad), raw="raw", workers=1)
    told = results(**where(abroad)).set_index("method")
    assert told.status[["zero_shot", "lora"]].tolist() == ["done", "failed"]
    assert "diverged" in told.reason["lora"]


def test_a_folder_that_is_no_project_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError,
        match=r"^project: must be given, since '.*' lies in no project's folder; `peft-pipelines init NAME`",
    ):
        run(grid("lora"), env="trial")
    with pytest.raises(ConfigError, match=r"^project: must be a folder with conf/base/catalog.yml in it, got '"):
        results(project="nowhere")


@pytest.mark.parametrize("workers", [0, -1, "2", 1.5, True])
def test_workers_are_a_number(abroad: Project, workers: object) -> None:
    with pytest.raises(ConfigError, match=r"^workers: must be a whole number of at least 1"):
        run(grid("lora"), **where(abroad), workers=workers)  # type: ignore[arg-type]
