"""``peft-pipelines init``: a new project in a folder of its own."""

from pathlib import Path

import click

from peft_pipelines.cli.one_line import Command
from peft_pipelines.files.screen import show

_NEXT = """\
{folder}: a study of its own, with the default grid and example data. In this folder:

  make test          checks the configuration and runs a tiny grid
  make benchmark     runs the grid of conf/base/grid.yml

Its README.md says what lies where, and what to type without make."""


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a project in FOLDER, which is new or empty: configuration, methods, example data and a README.

    The same as a starter of Kedro: kedro new --starter=peft-pipelines --name=NAME

    \b
    peft-pipelines init my-study
    """
    from peft_pipelines.cli.starter import make_project  # noqa: PLC0415  (cookiecutter: only this command needs it)

    make_project(folder)
    show(_NEXT.format(folder=folder))
