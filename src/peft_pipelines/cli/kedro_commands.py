"""Kedro's own commands of a project (catalog, registry, pipeline …), whose mistakes end in one line as well."""

from typing import Any, Final

import click
from kedro.framework.cli.cli import project_commands
from kedro.framework.project import pipelines as registered

from peft_pipelines.cli import options
from peft_pipelines.cli.one_line import Command, Group


class ProjectGroup(Group):
    """The project's commands; behind them, Kedro's own."""

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """Return a command of this project, else Kedro's of that name."""
        known = ctx or click.Context(self)
        if cmd_name not in self.commands and (kedros := project_commands.get_command(known, cmd_name)):
            return told_in_one_line(kedros)
        return super().get_command(ctx, cmd_name)


def told_in_one_line(command: click.Command) -> click.Command:
    """Return one of Kedro's commands, or a group of them, with mistakes that end in one line."""
    same: dict[str, Any] = {
        "name": command.name,
        "help": command.help,
        "short_help": command.short_help,
        "params": [options.read_by(one, _READ) for one in command.params],
        "callback": command.callback,
        "context_settings": command.context_settings,
    }
    if isinstance(command, click.Group):
        return Group(commands={name: told_in_one_line(one) for name, one in command.commands.items()}, **same)
    return Command(**same)


_READ: Final[dict[str, options.Read]] = {
    "env": options.strict(options.text, lambda: None),
    "pipeline": options.strict(options.names_of("pipeline", lambda: registered), list),
}
"""How the value of an option is read, by the name of its argument."""
