"""New projects: what lies in them, and which folders they are made in."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from light import PROJECT

from peft_pipelines import __version__
from peft_pipelines.cli import starter
from peft_pipelines.cli.init_command import init

COPIED = ("conf", "methods", "data/01_raw/samples")
WRITTEN = ["Makefile", "README.md", "pyproject.toml", "requirements.txt", "src/README.md"]


def made(folder: Path) -> Path:
    done = CliRunner().invoke(init, [str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project; no test changes it."""
    return made(tmp_path_factory.mktemp("studies") / "my-study")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_what_the_project_itself_begins_with(study: Path) -> None:
    listed = ["git", "ls-files", "--", *COPIED, "constraints.txt", ".telemetry"]
    if not (PROJECT / ".git").exists():
        pytest.skip("what belongs to the project is known by git")
    tracked = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(tracked) > 100
    assert files(study) == {*tracked, *WRITTEN, ".gitignore"}
    assert all((study / name).read_bytes() == (PROJECT / name).read_bytes() for name in tracked)


def test_kedro_knows_it_by_the_name_of_its_folder(study: Path) -> None:
    metadata = bootstrap_project(study)
    assert (metadata.package_name, metadata.project_name) == ("peft_pipelines", "my-study")
    assert (study / "README.md").read_text(encoding="utf-8").startswith("# my-study\n")


def test_no_placeholder_is_left(study: Path) -> None:
    assert not [name for name in WRITTEN if "cookiecutter" in (study / name).read_text(encoding="utf-8")]


def test_the_releases_in_the_template_are_those_of_this_project() -> None:
    values = json.loads((PROJECT / "starter/cookiecutter.json").read_text(encoding="utf-8"))
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert values["release"] == __version__ == settings["project"]["version"]
    assert values["kedro_version"] == settings["tool"]["kedro"]["kedro_init_version"]


def test_settings_of_this_machine_stay_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*starter.FOLDERS, "conf/local", "methods/mine/__pycache__"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    for name in (
        *starter.FILES,
        "conf/local/credentials.yml",
        "methods/mine/__pycache__/model.pyc",
        "conf/logging.yml",
    ):
        (tmp_path / name).write_text("x", encoding="utf-8")
    monkeypatch.setattr(starter, "shipped", lambda: tmp_path)
    starter.fill(tmp_path / "new")
    assert files(tmp_path / "new") == {"conf/logging.yml", *starter.FILES}


def test_an_empty_folder_is_taken_even_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(Path("."))
    assert (tmp_path / "pyproject.toml").is_file() and not list(tmp_path.glob(".init-*"))


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (["a.txt"], "must be a new or an empty folder, and holds 'a.txt'\n"),
        ([".git/config", "a.txt"], "must be a new or an empty folder, and holds '.git' and 1 more\n"),
    ],
)
def test_a_folder_with_something_in_it_is_refused(before: list[str], said: str, tmp_path: Path) -> None:
    for name in before:
        (tmp_path / "there" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "there" / name).write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(init, [str(tmp_path / "there")])
    assert (done.exit_code, done.output) == (1, f"Error: init: '{tmp_path / 'there'}' {said}")
    assert files(tmp_path / "there") == set(before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "must be a new or an empty folder, and is a file"),
        ('a"b', "a project's name must have none of"),
        ("{{ a }}", "a project's name must have none of"),
        ("a\nb", "a project's name must have none of"),
        ("file/below", "a folder is needed there"),
    ],
)
def test_what_can_be_no_folder_of_a_project_is_refused(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = CliRunner().invoke(init, [str(tmp_path / name)])
    assert done.exit_code == 1 and said in done.output and done.output.count("\n") == 1
    assert files(tmp_path) == {"file"} and not any(path.is_dir() for path in tmp_path.iterdir())


@pytest.mark.parametrize("there", [False, True])
def test_one_that_fails_on_the_way_leaves_nothing(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(starter, "fill", full)
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    done = CliRunner().invoke(init, [str(folder)])
    assert done.exit_code == 1 and "No space left on device" in done.output
    assert folder.exists() == there and files(tmp_path) == set()


KEDRO = """#!/bin/sh
echo "kedro $*" >> "$(dirname "$0")/typed"
"""


def typed(study: Path, target: str, tmp_path: Path) -> list[str]:
    """The lines that a target of the study's Makefile runs, with a stand-in for kedro."""
    program = tmp_path / "kedro"
    program.write_text(KEDRO, encoding="utf-8")
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["make", target], cwd=study, env=env, capture_output=True, text=True, check=True)
    return (tmp_path / "typed").read_text(encoding="utf-8").splitlines()


def test_the_two_commands_run_kedro_of_the_active_environment(study: Path, tmp_path: Path) -> None:
    assert typed(study, "benchmark", tmp_path) == ["kedro fetch", "kedro run --pipeline=benchmark"]
    (tmp_path / "typed").unlink()
    assert typed(study, "test", tmp_path) == ["kedro plan", "kedro run --pipeline=benchmark --env=smoke"]


def test_without_an_environment_the_commands_say_what_is_missing(study: Path, tmp_path: Path) -> None:
    for name in ("sh", "make"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["make", "--no-print-directory", "test"],
        cwd=study,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "kedro was not found: activate the environment in which peft-pipelines is installed, or make one with 'make "
        "install'"
    )


def test_the_readme_says_what_the_two_commands_run(study: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", (study / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert [line.split("  ")[0] for line in blocks[0].splitlines()] == ["make test", "make benchmark"]
    assert blocks[1].splitlines() == ["kedro fetch", "kedro run --pipeline=benchmark"]


def test_the_task_of_the_readme_is_that_of_this_project(study: Path) -> None:
    """So it is tested to be a row that makes prompts."""
    own, first = ((folder / "README.md").read_text(encoding="utf-8") for folder in (study, PROJECT))
    block = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
    assert yaml.safe_load(block.findall(own)[0]) == yaml.safe_load(block.findall(first)[0])
