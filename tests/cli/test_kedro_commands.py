"""Kedro's own commands of a project: they do what they did."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI, project_commands
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro_telemetry.masking import _mask_kedro_cli

from peft_pipelines.cli.kedro_commands import told_in_one_line
from peft_pipelines.cli.main import cli

PROJECT = Path(__file__).parents[2]


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command, and those inside it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from commands(inner, *path, name)


def test_each_command_of_kedro_keeps_its_arguments_and_its_help() -> None:
    context = click.Context(project_commands)
    for name in project_commands.list_commands(context):
        kedros = project_commands.get_command(context, name)
        assert kedros
        for (path, one), (same_path, same) in zip(
            commands(kedros, name), commands(told_in_one_line(kedros), name), strict=True
        ):
            assert path == same_path
            assert [option.opts for option in one.params] == [option.opts for option in same.params]
            assert one.get_short_help_str() == same.get_short_help_str()
            assert one.context_settings == same.context_settings


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["registry", "list"], "- benchmark"),
        (["catalog", "list-patterns", "--env=smoke"], "{model}_weights"),
        (["catalog", "describe-datasets", "--env=smoke", "--pipeline=data"], "sst2_adapted"),
        (["jupyter", "--help"], "notebook"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_it_does_what_it_did(command: list[str], shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    metadata = bootstrap_project(PROJECT)
    pipelines.configure("peft_pipelines.pipeline_registry")
    result = CliRunner().invoke(cli, command, obj=metadata)
    assert result.exit_code == 0, result.output
    assert shown in result.stdout


@pytest.mark.parametrize("typed", [["run", "--tags=x"], ["catalog", "list-patterns"], ["registry", "nope"], ["nope"]])
def test_a_plugin_may_walk_the_commands_to_mask_what_was_typed(typed: list[str]) -> None:
    shown = _mask_kedro_cli(KedroCLI(PROJECT), command_args=typed)
    assert "x" not in shown and len(shown) >= 1
