"""``peft-pipelines`` outside a project."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peft_pipelines import __version__
from peft_pipelines.cli.outside import outside


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(outside, list(arguments), prog_name="peft-pipelines")


def test_it_lists_the_command_that_makes_a_project(here: Path) -> None:
    listed = asked().output.partition("Commands:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == ["init"]
    assert asked("--version").output == f"peft-pipelines, version {__version__}\n"


def test_a_command_of_a_project_says_that_here_is_none(here: Path) -> None:
    done = asked("run")
    assert (done.exit_code, done.output) == (
        2,
        f"Error: peft-pipelines run: works in a project's folder, and '{here}' is in none; make one with: "
        "peft-pipelines init NAME\n",
    )


def test_a_project_of_another_package_is_named(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.kedro]\npackage_name = 'other'\n", encoding="utf-8")
    assert f"and '{here}' is one of another package; make one" in asked("fetch").output


def test_an_unknown_command_is_told_with_those_there_are(here: Path) -> None:
    done = asked("inti")
    assert (done.exit_code, done.output) == (
        2,
        "Error: peft-pipelines: unknown command 'inti', did you mean 'init'? Allowed: init\n",
    )
