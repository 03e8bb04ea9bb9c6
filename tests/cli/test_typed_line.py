"""The options of ``kedro`` itself and of ``kedro viz``, before either of them reads them."""

from pathlib import Path
from typing import Any

import pytest
from kedro.framework.cli.hooks.manager import get_cli_hook_manager
from kedro.framework.startup import ProjectMetadata, bootstrap_project

from peft_pipelines.cli.typed_line import hooks

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def metadata() -> ProjectMetadata:
    return bootstrap_project(PROJECT)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--foo"], "kedro: unknown option '--foo'. Allowed: --version, --help"),
        (["--verson"], "kedro: unknown option '--verson', did you mean '--version'? Allowed: --version, --help"),
        (["-x", "run"], "kedro: unknown option '-x'. Allowed: --version, --help"),
        (["viz", "--prt", "1"], "kedro viz: unknown option '--prt', did you mean '--port'? Allowed: --host, --port"),
        (["viz", "build", "--foo"], "kedro viz build: unknown option '--foo'. Allowed: --include-hooks"),
        (["viz", "rum"], "kedro viz: unknown command 'rum', did you mean 'run'? Allowed: build, deploy, run"),
        (["viz", "run", "--port"], "Option '--port' requires an argument."),
    ],
)
def test_an_unknown_option_ends_the_line(
    typed: list[str], told: str, metadata: ProjectMetadata, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        hooks.before_command_run(metadata, typed)
    assert ended.value.code
    shown = capsys.readouterr().err
    assert shown.startswith(f"Error: {told}")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["-h"],
        ["--version"],
        ["run", "--foo"],
        ["viz"],
        ["viz", "-h"],
        ["viz", "--port=4142", "--lite"],
        ["viz", "build", "--include-hooks"],
    ],
    ids=" ".join,
)
def test_all_other_lines_pass(typed: list[str], metadata: ProjectMetadata) -> None:
    hooks.before_command_run(metadata, typed)


def test_other_projects_are_left_alone(metadata: ProjectMetadata) -> None:
    hooks.before_command_run(metadata._replace(package_name="another"), ["--foo"])
    hooks.before_command_run(None, ["--foo"])


def test_kedro_finds_the_hook() -> None:
    found: list[Any] = get_cli_hook_manager().get_plugins()
    assert hooks in found
