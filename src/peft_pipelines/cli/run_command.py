"""``kedro run`` with the cell runner, strict options and errors of one line."""

import copy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from kedro.framework.cli.project import run as kedro_run

from peft_pipelines.cli import options, runner_option
from peft_pipelines.cli.config_file import read_config
from peft_pipelines.cli.one_line import Command, Fault
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import garbage
from peft_pipelines.files.screen import show_line
from peft_pipelines.running.interruption import Interrupted, stopping

RUNNER_HELP: Final = (
    "The runner. The default goes cell by cell, skips what stands unchanged, and goes on when a cell fails. "
    "'RayRunner' does so on the nodes of a Ray cluster (docs/cluster.md). Of Kedro's own only 'SequentialRunner' works "
    "here: a live model cannot leave its process."
)
WORKERS_HELP: Final = (
    "How many cells run side by side, each in a process and on one thread. By default as many as processors and memory "
    "allow; where GPUs compute, one for each of them. No number depends on it."
)
PER_GPU_HELP: Final = (
    "How many of the workers share a GPU, each a process of its own that sees no other GPU. By default one; more pay "
    "where a cell leaves most of a GPU idle, as those of small models do. Their memory adds up."
)
_READ: Final[dict[str, options.Read]] = {
    **dict.fromkeys(("tags", "node_names", "from_nodes", "to_nodes"), options.strict(options.names, list)),
    **dict.fromkeys(("from_inputs", "to_outputs", "namespaces", "pipelines"), options.strict(options.names, list)),
    **dict.fromkeys(("env", "conf_source", "pipeline"), options.strict(options.text, lambda: None)),
    "load_versions": options.strict(options.versions, dict),
    "params": options.strict(options.params, dict),
    "runner": options.strict(runner_option.runner_path, lambda: runner_option.RUNNER),
    "runner_params": options.strict(runner_option.runner_params, dict),
    **dict.fromkeys(("workers", "per_gpu"), options.strict(options.count, lambda: None)),
    "config": read_config,
}
"""How the value of each option is read, by the name of its argument."""


class Ended(Fault):
    """A run that a signal has ended: what stands, and the command that goes on."""

    def __init__(self, interrupted: Interrupted) -> None:
        program = Path(sys.argv[0])
        typed = "kedro" in (program.name, program.parent.name)  # the script, or python -m kedro
        command = f"kedro {shlex.join(sys.argv[1:])}" if typed else "the same kedro run"
        super().__init__(f"{interrupted}. To go on: {command}", interrupted.exit_code)

    def show(self, file: Any = None) -> None:
        """Print the line as it is: this is no mistake."""
        show_line(self.message)


def _option(option: click.Parameter) -> click.Parameter:
    """Kedro's option, read strictly."""
    mine = options.read_by(copy.copy(option), _READ)
    if mine.name == "runner" and isinstance(mine, click.Option):
        mine.default, mine.show_default, mine.help = runner_option.RUNNER, True, RUNNER_HELP
    return mine


def _numbers() -> list[click.Option]:
    """The project's own options."""
    helps = {"--workers": WORKERS_HELP, "--per-gpu": PER_GPU_HELP}
    return [click.Option([name], metavar="N", help=text, type=click.UNPROCESSED) for name, text in helps.items()]


def run_with(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return Kedro's ``run`` behind the checks of options that must not stand together, ended by signals in words."""

    def run(pipeline: str | None, pipelines: list[str], **others: Any) -> Any:
        if pipeline and pipelines:
            raise ConfigError("--pipeline and --pipelines: give one of them; --pipelines takes several names")
        numbers = others.pop("workers"), others.pop("per_gpu")
        others["runner_params"] = runner_option.with_workers(others["runner_params"], others["runner"], *numbers)
        try:
            with stopping(), garbage.seldom():
                return callback(pipeline=None, pipelines=pipelines or [pipeline or "__default__"], **others)
        except KeyboardInterrupt as stop:
            raise Ended(Interrupted(stop, "before the first cell or behind the last one")) from None
        except Interrupted as interrupted:
            raise Ended(interrupted) from None

    return run


def run_command() -> Command:
    """Make the command; ``--pipeline`` is the same as ``--pipelines`` with one name."""
    assert kedro_run.callback
    return Command(
        name=kedro_run.name,
        help=kedro_run.help,
        params=[_option(option) for option in (*kedro_run.params, *_numbers())],
        callback=run_with(kedro_run.callback),
    )
