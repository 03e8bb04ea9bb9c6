"""The project's commands: ``kedro run`` with the cell runner and one-line errors, ``fetch`` and ``merge``."""

import copy
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import PARAMS_ARG_HELP
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import CONTEXT_SETTINGS, _split_params, env_option
from kedro.framework.project import pipelines as registered
from kedro.framework.project import settings

from peft_pipelines.cli.commands import COMMANDS
from peft_pipelines.config import Cell
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import disk, names
from peft_pipelines.files.screen import show, show_line
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.interruption import Interrupted, stopping

if TYPE_CHECKING:
    from peft_pipelines.config import Parameters

RUNNER = "peft_pipelines.running.cell_runner.CellRunner"
RUNNER_HELP = "The runner. The default goes cell by cell, skips what stands unchanged, and goes on when a cell fails."
RUNNERS_HELP = "Of Kedro's own only 'SequentialRunner' works here: there is one model at a time, in one process."


def errors_in_one_line(command: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command so that a user's mistake, or what failed in a run, is printed without a traceback; exit code 1.

    All other exceptions pass as they are.
    """

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Exception as error:
            known = next((one for one in causes(error) if isinstance(one, ConfigError | PartsFailed)), None)
            reason = str(known) if known else disk.line(error)
            if reason is None:
                raise
            raise click.ClickException(reason) from None

    return wrapped


class Ended(click.ClickException):
    """A run that a signal has ended: what stands, and the command that goes on."""

    def __init__(self, interrupted: Interrupted) -> None:
        program = Path(sys.argv[0])
        typed = "kedro" in (program.name, program.parent.name)  # the script, or python -m kedro
        command = f"kedro {shlex.join(sys.argv[1:])}" if typed else "the same kedro run"
        super().__init__(f"{interrupted}. To go on: {command}")
        self.exit_code = interrupted.exit_code  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        """Print the line as it is: this is no mistake."""
        show_line(self.message)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the ones that it was raised from: Kedro wraps what a dataset raises."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


@click.group(context_settings=CONTEXT_SETTINGS, name="peft_pipelines")
def cli() -> None:
    """Commands of this project."""


def _run_command() -> click.Command:
    """Kedro's ``run`` with another default runner; ``--pipeline`` is the same as ``--pipelines`` with one name."""
    command = copy.copy(kedro_run)
    command.params = [copy.copy(parameter) for parameter in kedro_run.params]
    runner = next(parameter for parameter in command.params if parameter.name == "runner")
    assert isinstance(runner, click.Option) and kedro_run.callback
    runner.default, runner.show_default, runner.help = RUNNER, True, f"{RUNNER_HELP} {RUNNERS_HELP}"
    callback = kedro_run.callback

    @wraps(callback)
    def run(pipeline: str | None, pipelines: list[str], **options: Any) -> Any:
        names = list(pipelines) or [pipeline or "__default__"]
        try:
            with stopping():
                return callback(pipeline=None, pipelines=names, **options)
        except KeyboardInterrupt as stop:
            raise Ended(Interrupted(stop, "before the first cell or behind the last one")) from None
        except Interrupted as interrupted:
            raise Ended(interrupted) from None
        except ValueError as error:
            if not isinstance(error, ConfigError):
                _check_known(names)
            raise

    command.callback = errors_in_one_line(run)
    return command


def _check_known(names: list[str]) -> None:
    """Raise ConfigError for the first name of no pipeline. Only a run that has begun knows its environment's."""
    for name in names:
        if name not in registered:
            raise unknown("--pipelines", "pipeline", name, registered) from None


run = _run_command()
cli.add_command(run)


@cli.command()
@env_option
@click.option("--params", type=click.UNPROCESSED, default="", help=PARAMS_ARG_HELP, callback=_split_params)
@errors_in_one_line
def fetch(env: str | None, params: dict[str, Any]) -> None:
    """Download the models and the hub's examples of the grid."""
    from peft_pipelines.running.preflight import Inputs, fetch_missing  # noqa: PLC0415  (heavy, see above)

    with settings.SESSION_CLASS.create(env=env, runtime_params=params) as session:
        context = session.load_context()
        catalog = context.catalog
        inputs = Inputs(registered["benchmark"], catalog)
        project = Path(context.project_path)
        for what, folder, fetched in fetch_missing(inputs, catalog, project / names.LOCK, show):
            shown = folder.relative_to(project) if folder.is_relative_to(project) else folder
            show(f"{what}: {'fetched into' if fetched else 'is there,'} {shown}")


@cli.command()
@click.argument("cell", nargs=-1, required=True, metavar="METHOD MODEL TASK SEED")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to make; it must not exist.")
@env_option
@click.option("--params", type=click.UNPROCESSED, default="", help=PARAMS_ARG_HELP, callback=_split_params)
@errors_in_one_line
def merge(cell: tuple[str, ...], output: Path, env: str | None, params: dict[str, Any]) -> None:
    """Merge a cell's checkpoint, the one on record, into its base model.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The folder that is written holds a plain
    transformers model (safetensors) and its tokenizer: AutoModelForCausalLM.from_pretrained reads it, without this
    project or a tuning library. Its logits are compared with the unmerged model's before it appears.

    Methods that no weight can hold (soft prompts, bottleneck adapters) are refused. A method trained on a 4-bit base is
    merged into the base in full precision, whose answers may differ from those that were scored.

    \b
    kedro merge lora smollm2_135m sst2 s0 --output merged/lora_sst2
    kedro merge lora.smollm2_135m.sst2.s0 --output merged/lora_sst2
    """
    from peft_pipelines.config import Parameters  # noqa: PLC0415
    from peft_pipelines.models import base_model, merge  # noqa: PLC0415  (heavy, see above)
    from peft_pipelines.running.state import STATE, hand_on_records, recorded_versions  # noqa: PLC0415
    from peft_pipelines.running.units import Unit  # noqa: PLC0415

    with settings.SESSION_CLASS.create(env=env, runtime_params=params) as session:
        context = session.load_context()
        rows, catalog = Parameters.of(context.config_loader["parameters"]), context.catalog
        method, model, task, seed = _names_of(cell, rows)
        merged = Cell(method=method, model=model, task=task, seed=seed)
        unit, name = Unit(names.cell_tag(merged.id), ()), names.artifact(merged, names.CHECKPOINT)
        hand_on_records(catalog, [unit])
        dataset = catalog.get(name)
        unrecorded = (unit.folder(catalog) / STATE).is_file() and name not in recorded_versions(catalog, unit)
        if unrecorded or not dataset.exists():
            where = dataset._filepath
            raise ConfigError(f"cell '{'.'.join(cell)}': has no checkpoint (looked in '{where}'); run it first")
        source = base_model.folder_of(rows.models[model], catalog.load(names.weights(model)))
        base = base_model.load(rows.models[model], source)
        difference = merge.merge(base, dataset.load(), source, output, show)
    show(f"{output}: ready; largest difference of a logit from the unmerged model {difference:.1e}")


def _names_of(cell: tuple[str, ...], rows: "Parameters") -> list[str]:
    """Return the names of four rows, given apart or as one id."""
    from peft_pipelines.config import AXES  # noqa: PLC0415  (heavy, see above)

    names = [name for part in cell for name in part.split(".")]
    if len(names) != len(AXES):
        raise ConfigError(f"cell: must be METHOD MODEL TASK SEED or METHOD.MODEL.TASK.SEED, got '{' '.join(cell)}'")
    for axis, name in zip(AXES, names, strict=True):
        if name not in getattr(rows, axis):
            raise unknown("cell", axis.removesuffix("s"), name, sorted(getattr(rows, axis)))
    return names


for command in COMMANDS:
    assert command.callback
    command.callback = errors_in_one_line(command.callback)
    cli.add_command(command)
