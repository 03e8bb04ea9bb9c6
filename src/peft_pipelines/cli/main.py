"""The project's commands: ``kedro run`` with the cell runner and one-line errors, ``fetch`` and ``merge``."""

import os
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.framework.project import pipelines as registered
from kedro.framework.project import settings

from peft_pipelines.cli.cell_options import CELL_HELP
from peft_pipelines.cli.commands import COMMANDS
from peft_pipelines.cli.kedro_commands import ProjectGroup
from peft_pipelines.cli.opened import opened
from peft_pipelines.cli.options import placed
from peft_pipelines.cli.run_command import run_command
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.screen import show


@click.group(cls=ProjectGroup, context_settings=CONTEXT_SETTINGS, name="peft_pipelines")
def cli() -> None:
    """Commands of this project."""


run = run_command()
cli.add_command(run)


@cli.command()
@placed
def fetch(env: str | None, params: dict[str, Any]) -> None:
    """Download the models and the hub's examples of the grid; what is there already stays as it is.

    \b
    kedro fetch --env=hub
    """
    from peft_pipelines.running.preflight import Inputs, fetch_missing  # noqa: PLC0415  (heavy: only this command needs it)

    with settings.SESSION_CLASS.create(env=env, runtime_params=params) as session:
        context = session.load_context()
        catalog = context.catalog
        inputs = Inputs(registered["benchmark"], catalog)
        project = Path(context.project_path)
        for what, folder, fetched in fetch_missing(inputs, catalog, project / names.LOCK, show):
            shown = folder.relative_to(project) if folder.is_relative_to(project) else folder
            show(f"{what}: {'fetched into' if fetched else 'is there,'} {shown}")


@cli.command()
@click.argument("cell", nargs=-1, required=True, metavar=CELL_HELP)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to make; it must not exist.")
@placed
def merge(cell: tuple[str, ...], output: Path, env: str | None, params: dict[str, Any]) -> None:
    """Merge a cell's checkpoint, the one on record, into its base model: the same as kedro export --to merged.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The folder that is written holds a plain
    transformers model (safetensors) and its tokenizer: AutoModelForCausalLM.from_pretrained reads it, without this
    project or a tuning library. Its logits are compared with the unmerged model's before it appears.

    Methods that no weight can hold (soft prompts, bottleneck adapters) are refused. A method trained on a 4-bit base is
    merged into the base in full precision, whose answers may differ from those that were scored.

    \b
    kedro merge lora smollm2_135m sst2 s0 --output merged/lora_sst2
    kedro merge lora.smollm2_135m.sst2.s0 --output merged/lora_sst2
    """
    from peft_pipelines.serving.export import formats  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.serving.export.finished import Finished  # noqa: PLC0415
    from peft_pipelines.serving.recorded_cell import cell_of  # noqa: PLC0415

    if os.path.lexists(output):
        raise ConfigError(f"--output: must not exist yet, got '{output}'")
    with opened(env, params) as (catalog, _):
        finished = Finished.of(catalog, cell_of(cell, catalog.load(names.PARAMETERS)))
        difference = formats.export(finished, formats.CONTENTS[formats.MERGED], output, show, overwrite=False)
    show(f"{output}: ready; largest difference of a logit from the unmerged model {difference:.1e}")


for command in COMMANDS:
    cli.add_command(command)
