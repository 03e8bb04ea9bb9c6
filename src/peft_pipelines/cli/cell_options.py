"""What commands that use a finished cell have in common: its names, and the run as whose version it is taken."""

from collections.abc import Callable
from typing import Any, Final

import click

from peft_pipelines.cli import options

CELL_HELP: Final = "METHOD MODEL TASK SEED"
RUN_HELP: Final = "The version of the cell that this run has on record. Default: the version on record now."

text_or_none: Final = options.strict(options.text, lambda: None)
"""A callback of click that takes a text in which something can be read; None where the option is not given."""


def of_cell(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument ``cell``, which names a finished cell, and the option ``--run``, which is ``run_id``."""
    with_run = click.option("--run", "run_id", metavar="RUN_ID", callback=text_or_none, help=RUN_HELP)
    return click.argument("cell", nargs=-1, required=True, metavar=CELL_HELP)(with_run(command))
