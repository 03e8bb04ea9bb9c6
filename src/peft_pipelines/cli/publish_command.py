"""``kedro publish``: a cell to a repository of the model hub."""

import tempfile
from pathlib import Path
from typing import Any

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.cell_options import of_cell
from peft_pipelines.cli.export_command import CONTENTS, CONTENTS_HELP, one_of
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.screen import show, show_line


@click.command(cls=Command)
@click.option("--repo", required=True, metavar="OWNER/NAME", help="The repository; it is made where there is none.")
@click.option("--as", "contents", metavar="FORMAT", callback=one_of(CONTENTS), help=CONTENTS_HELP)
@click.option("--public", is_flag=True, help="Let everybody see the repository. Default: private.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@of_cell
@options.placed
def publish(
    cell: tuple[str, ...],
    repo: str,
    contents: str | None,
    public: bool,
    dry_run: bool,
    yes: bool,
    run_id: str | None,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Send what a cell has trained to the model hub, with a model card and the licences.

    The cell is given by its four names, or as METHOD.MODEL.TASK.SEED. The files and their bytes are shown, and you are
    asked before anything is sent. The repository is private unless --public is given; one that is public already is
    refused without it. Files of other names that are there stay. The token is that of `hf auth login` or HF_TOKEN.

    \b
    kedro publish lora.smollm2_135m.sst2.s0 --repo OWNER/NAME --dry-run
    """
    from peft_pipelines.serving.export import formats, hub_folder, publishing  # noqa: PLC0415  (heavy: only this needs it)
    from peft_pipelines.serving.export.finished import Finished  # noqa: PLC0415
    from peft_pipelines.serving.recorded_cell import cell_of  # noqa: PLC0415

    repository = publishing.Repository(publishing.repository_name("--repo", repo), public)
    if not dry_run:
        publishing.check_token()
    with tempfile.TemporaryDirectory(prefix="peft-pipelines-publish-") as scratch:
        folder = Path(scratch) / "repository"
        with opened(env, params) as (catalog, _):
            finished = Finished.of(catalog, cell_of(cell, catalog.load(names.PARAMETERS)), run_id)
            wanted = hub_folder.hub_format(hub_folder.contents_of(finished, contents))
            formats.export(finished, wanted, folder, show_line, overwrite=False)
        show(publishing.listing(folder, repository))
        if dry_run:
            show("dry run: nothing was sent")
            return
        if not yes and not _agreed():
            raise ConfigError("nothing was sent; --yes sends without asking")
        show(publishing.send(folder, repository, f"{finished.recorded.cell.id}, run {finished.recorded.version}"))


def _agreed() -> bool:
    """Whether the person at the terminal says yes; no answer is a no."""
    try:
        return click.confirm("Send these files?", default=False, err=True)
    except click.Abort:
        show_line("")  # ends the line of the question
        return False
