"""Options of ``kedro`` itself and of ``kedro viz``, which no command of this project gets to read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.cli import cli as kedro
from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.cli.utils import CONTEXT_SETTINGS, load_entry_points

from peft_pipelines.cli.one_line import Fault, in_one_line
from peft_pipelines.config.errors import unknown

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

_PACKAGE = "peft_pipelines"


class TypedLine:
    """Kedro's hook in front of each command; it ends a line that no command of this project would get to read."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: "ProjectMetadata | None", command_args: Sequence[str]) -> None:
        """Refuse unknown options of ``kedro`` and ``kedro viz`` in one line; ``kedro viz`` itself ignores them."""
        if project_metadata is None or project_metadata.package_name != _PACKAGE:
            return
        try:
            with in_one_line():
                _check_options(kedro, "kedro", command_args)
                if command_args[:1] == ["viz"]:
                    _check_viz(command_args[1:])
        except Fault as fault:
            fault.show()
            raise SystemExit(fault.exit_code) from None


def _check_viz(typed: Sequence[str]) -> None:
    """Without a sub-command, options are those of ``kedro viz run``."""
    viz: Any = next(one.commands["viz"] for one in load_entry_points("global") if "viz" in one.commands)
    context = click.Context(viz)
    first, *others = typed or [viz.default_cmd_name]
    if first.startswith("-"):
        if first not in CONTEXT_SETTINGS["help_option_names"]:
            _check_options(viz.get_command(context, viz.default_cmd_name), "kedro viz", typed)
    elif command := viz.get_command(context, first):
        _check_options(command, f"kedro viz {first}", others)
    else:
        raise unknown("kedro viz", "command", first, viz.list_commands(context))


def _check_options(command: click.Command, name: str, typed: Sequence[str]) -> None:
    """Raise click's UsageError for an option that a command does not have."""
    settings = {**command.context_settings, "ignore_unknown_options": False, "allow_interspersed_args": False}
    context = click.Context(command, info_name=name, **settings)
    command.make_parser(context).parse_args(list(typed))


hooks = TypedLine()
