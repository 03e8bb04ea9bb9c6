"""The commands as a user types them, on a tiny model: run, run again, fail, fetch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import pytest
from click.testing import CliRunner
from hub_stand_in import hub
from project import Project, project  # noqa: F401
from pyarrow import parquet

from peft_pipelines.cli.main import cli

LINE = "zero_shot · tiny · mood · s0: accuracy"


def test_a_run_ends_with_the_table_and_its_files(project: Project) -> None:  # noqa: F811
    result = project.kedro("run", "--pipeline=benchmark")
    assert result.exit_code == 0, result.output
    assert f"[1/1] {LINE}" in result.stderr
    assert "zero_shot" in result.stdout
    for path in ("data/08_reporting/results.csv", "data/08_reporting/results.md"):
        assert f"  {path}\n" in result.stdout
        assert (project.folder / path).is_file()
    assert "eprecat" not in result.output


def test_a_second_run_skips_the_cell_and_gives_the_same_table(project: Project) -> None:  # noqa: F811
    project.kedro("run")
    table = Path("data/08_reporting/results.md")
    first = table.read_text()
    table.unlink()
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0] == "1 of 1 cells are unchanged"
    assert result.stderr.splitlines()[1].endswith("unchanged")
    assert table.read_text() == first


def test_what_draws_nothing_is_asked_once_whatever_the_seeds(project: Project) -> None:  # noqa: F811
    project.grid |= {"methods": ["zero_shot", "few_shot"], "seeds": ["s0", "s1"]}
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    assert "[3/3]" in result.stderr
    cells = Path("data/07_model_output/tiny/mood")
    asked = sorted(path.parent.relative_to(cells).as_posix() for path in cells.rglob("metrics.json"))
    assert asked == ["few_shot/s0", "few_shot/s1", "zero_shot/s0"]
    scores, _, _ = Path("data/08_reporting/results.md").read_text().partition("TFLOP")
    shown = {line.split("|")[1].strip(): line for line in scores.splitlines() if line.startswith("|")}
    assert "(2 seeds)" in shown["few_shot"]
    assert "seeds" not in shown["zero_shot"]


def test_the_stock_runner_gives_the_same_scores_and_leaves_nothing_to_skip(project: Project) -> None:  # noqa: F811
    project.kedro("run")
    metrics = Path("data/07_model_output/tiny/mood/zero_shot/s0/metrics.json")
    mine = json.loads(metrics.read_text())["accuracy"]
    result = project.kedro("run", "--runner=SequentialRunner")
    assert result.exit_code == 0, result.output
    assert json.loads(metrics.read_text())["accuracy"] == mine
    assert not metrics.with_name("state.json").exists()


def test_failed_cells_are_listed_and_the_exit_code_tells(project: Project) -> None:  # noqa: F811
    project.grid["methods"] = ["zero_shot", "lora"]
    blocked = project.folder / "data/06_models/tiny/mood/lora/s0"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder must be")
    result = project.kedro("run")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    lines = result.stderr.splitlines()
    assert f"[1/2] {LINE}" in result.stderr
    assert any(line.startswith("[2/2] lora · tiny · mood · s0: failed after") for line in lines)
    assert "Error: 1 of 2 cells failed" in lines
    assert lines[-1].startswith("  lora · tiny · mood · s0: ")
    assert "failure.log" in lines[-1]
    assert "zero_shot" in result.stdout


def test_fetch_says_what_is_there(project: Project) -> None:  # noqa: F811
    result = project.kedro("fetch")
    assert (result.exit_code, result.output) == (0, "model 'tiny': is there, model\n")


def test_a_run_fetches_what_the_hub_has_and_then_needs_no_hub(project: Project) -> None:  # noqa: F811
    task, model = project.task, project.parameters["models"]["tiny"]
    task["source"]["parquet_branch"] = True
    del model["folder"]
    model["hub"] = {"repo": "nobody/tiny"}
    project.write("hub")
    pins = json.loads(Path("conf/hub/lock.json").read_text())
    rows = {f"default/{path.stem}/0000.parquet": parquet_of(path) for path in Path("raw/mood").iterdir()}
    weights = {path.name: path.read_bytes() for path in Path("model").iterdir()}
    repositories = {"models/nobody/tiny": {"a" * 40: weights}, "datasets/nobody/mood": {"a" * 40: rows}}
    branches = {name: {"main": "a" * 40, "refs/convert/parquet": "a" * 40} for name in repositories}
    with hub(repositories, branches) as address:
        result = kedro("run", address)
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert lines[:2] == ["fetching model 'tiny'", "fetching rows of task 'mood'"]
    assert lines[2].startswith(f"[1/1] {LINE}")
    lock = json.loads(Path("conf/hub/lock.json").read_text())
    assert lock == pins | {"dataset nobody/mood refs/convert/parquet": "a" * 40, "model nobody/tiny main": "a" * 40}
    again = kedro("fetch", "http://127.0.0.1:9")
    assert again.stdout.splitlines() == [
        "model 'tiny': is there, data/01_raw/models/tiny",
        "rows of task 'mood': is there, data/01_raw/hub/mood",
    ]


def test_the_data_alone_need_the_model_for_its_tokens(project: Project) -> None:  # noqa: F811
    model = project.parameters["models"]["tiny"]
    del model["folder"]
    model["hub"] = {"repo": "nobody/tiny"}
    project.write("local")
    weights = {path.name: path.read_bytes() for path in Path("model").iterdir()}
    with hub({"models/nobody/tiny": {"a" * 40: weights}}, {"models/nobody/tiny": {"main": "a" * 40}}) as address:
        result = kedro("run", address, "--pipelines=data", "--params=raw=raw,store=data")
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[0] == "fetching model 'tiny'"
    assert Path("data/01_raw/models/tiny/config.json").is_file()
    assert json.loads(Path("data/05_model_input/mood/profile.json").read_text())["tokens_of"] == "tiny"


def test_each_folder_can_be_another_for_one_run(project: Project) -> None:  # noqa: F811
    """Kedro puts what --params gives among the parameters as well, so no folder may be called as rows are."""
    model = project.parameters["models"]["tiny"]
    del model["folder"]
    model["hub"] = {"repo": "nobody/tiny"}
    for old, new in (("model", "fetched/tiny"), ("raw/mood", "rows/mood")):
        Path(new).parent.mkdir()
        Path(old).rename(new)
    result = project.kedro("run", "--pipeline=data", "--params=raw=rows,weights=fetched,store=made")
    assert result.exit_code == 0, result.output
    assert json.loads(Path("made/05_model_input/mood/profile.json").read_text())["tokens_of"] == "tiny"
    assert not Path("data").exists()


def test_the_data_alone_refuse_a_folder_with_code(project: Project) -> None:  # noqa: F811
    path = Path("model/config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoModel": "x.Y"}}))
    result = project.kedro("run", "--pipeline=data")
    assert result.exit_code == 1
    assert result.output.startswith("Error: model 'tiny', folder 'model', config.json has the key 'auto_map'")


def test_the_report_alone_needs_no_model(project: Project) -> None:  # noqa: F811
    project.kedro("run")
    for path in Path("model").iterdir():
        path.unlink()
    result = project.kedro("run", "--pipeline=report")
    assert result.exit_code == 0, result.output


def test_each_project_of_a_process_has_its_own_methods(
    project: Project,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = Project(other)
    monkeypatch.delenv("PEFT_DIR")
    for one in (project, second, project):
        monkeypatch.chdir(one.folder)
        assert one.kedro("fetch").exit_code == 0
        assert os.environ["PEFT_DIR"] == str(one.folder / "methods")
    monkeypatch.setenv("PEFT_DIR", "elsewhere")
    project.kedro("fetch")
    assert os.environ["PEFT_DIR"] == "elsewhere"


def parquet_of(path: Path) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.json.read_json(path), sink)
    return bytes(sink.getvalue())


def kedro(command: str, address: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own, as the hub's client takes the address at import."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(Path("cache").resolve()), "DO_NOT_TRACK": "1"}
    environment["KEDRO_LOGGING_CONFIG"] = "conf/logging.yml"
    line = [sys.executable, "-m", "kedro", command, *(options or ["--env=hub"])]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)


def test_run_help_names_the_default_runner() -> None:
    result = CliRunner().invoke(cli, ["run", "--help"])
    assert result.exit_code == 0
    assert "CellRunner" in result.output.replace("\n", " ")
    assert "SequentialRunner" in result.output
    assert "ParallelRunner" not in result.output
    assert "ThreadRunner" not in result.output
    for option in (
        "--pipelines",
        "--tags",
        "--nodes",
        "--env",
        "--params",
        "--load-versions",
        "--only-missing-outputs",
    ):
        assert option in result.output


def test_a_runner_is_given_by_its_name_or_by_its_path(project: Project) -> None:  # noqa: F811
    for runner in ("CellRunner", "peft_pipelines.running.cell_runner.CellRunner", "kedro.runner.SequentialRunner"):
        assert project.kedro("run", "--pipeline=data", f"--runner={runner}").exit_code == 0
