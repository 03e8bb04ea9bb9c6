"""The commands of ``peft-pipelines`` where no project is: the one that makes a project."""

from pathlib import Path

import click
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.utils import find_kedro_project

from peft_pipelines import __version__
from peft_pipelines.cli.init_command import init
from peft_pipelines.cli.main import cli
from peft_pipelines.cli.one_line import Fault, Group


class Outside(Group):
    """What there is outside a project, which knows what there is in one."""

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """Return a command of this group.

        Raises:
            Fault: the command works in a project only, or there is none of this name.
        """
        if cmd_name not in self.commands and cmd_name in cli.commands:
            raise Fault(f"peft-pipelines {cmd_name}: works in a project's folder, and {_where()}", exit_code=2)
        return super().get_command(ctx, cmd_name)


@click.group(cls=Outside, context_settings=CONTEXT_SETTINGS, name="peft-pipelines")
@click.version_option(__version__, prog_name="peft-pipelines")
def outside() -> None:
    """Compare ways of parameter-efficient fine-tuning.

    In the folder of a project there are more commands: `peft-pipelines --help` lists them there.
    """


outside.add_command(init)


def _where() -> str:
    """Why the current folder is none of a project of this package, and what to do."""
    found = find_kedro_project(Path.cwd())
    here = f"'{Path.cwd()}' is in none" if found is None else f"'{found}' is one of another package"
    return f"{here}; make one with: peft-pipelines init NAME"
