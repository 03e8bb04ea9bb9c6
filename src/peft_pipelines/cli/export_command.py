"""``kedro export``: a cell in a form that other programs read."""

from pathlib import Path
from typing import Any, Final

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.cell_options import of_cell
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.config.errors import unknown
from peft_pipelines.files import names
from peft_pipelines.files.screen import show, show_line

CONTENTS: Final = ("adapter", "merged", "gguf")
FORMATS: Final = (*CONTENTS, "hub")
CONTENTS_HELP: Final = "What a folder for the hub holds: adapter, merged or gguf. Default: the adapter if there is one."


def one_of(allowed: tuple[str, ...]) -> options.Read:
    """Return a callback of click that takes one of some names."""

    def read(where: str, value: str) -> str:
        if value not in allowed:
            raise unknown(where, "format", value, allowed)
        return value

    return options.strict(read, lambda: None)


@click.command(cls=Command)
@click.option("--to", "form", required=True, metavar="FORMAT", callback=one_of(FORMATS), help=", ".join(FORMATS))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--as", "contents", metavar="FORMAT", callback=one_of(CONTENTS), help=CONTENTS_HELP)
@click.option("--overwrite", is_flag=True, help="Replace an export that is there.")
@of_cell
@options.placed
def export(
    cell: tuple[str, ...],
    form: str,
    output: Path,
    contents: str | None,
    run_id: str | None,
    overwrite: bool,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Write what a cell has trained as a folder that other programs read.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The formats:

    \b
    adapter  the adapter, as peft or adapters read it
    merged   base and adapter as one model of transformers, as kedro merge
    gguf     the merged model for llama.cpp, and a Modelfile for Ollama
    hub      one of these (--as), with a model card and the licences

    What is written is read again and compared before the folder appears. A cell that a format has no place for is
    refused, with the reason.

    \b
    kedro export lora.smollm2_135m.sst2.s0 --to gguf --output out/lora_sst2
    """
    from peft_pipelines.config.errors import ConfigError  # noqa: PLC0415
    from peft_pipelines.serving.export import formats, hub_folder  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.serving.export.finished import Finished  # noqa: PLC0415
    from peft_pipelines.serving.recorded_cell import cell_of  # noqa: PLC0415

    if contents and form != hub_folder.HUB:
        raise ConfigError(f"--as: must be left out with --to {form}, got '{contents}'. Allowed with --to hub")
    formats.check_output(output, overwrite=overwrite)
    with opened(env, params) as (catalog, _):
        finished = Finished.of(catalog, cell_of(cell, catalog.load(names.PARAMETERS)), run_id)
        if form == hub_folder.HUB:
            wanted = hub_folder.hub_format(hub_folder.contents_of(finished, contents))
        else:
            wanted = formats.CONTENTS[form]
        difference = formats.export(finished, wanted, output, show_line, overwrite=overwrite)
    show(f"{output}: ready; largest difference of a logit from the cell's model {difference:.1e}")
