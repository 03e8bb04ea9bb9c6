"""``kedro schema``: JSON Schemas of the configuration's files."""

import json
import os
from pathlib import Path
from typing import Any

import click
from kedro.utils import find_kedro_project

from peft_pipelines.cli.cell_options import text_or_none
from peft_pipelines.cli.one_line import Command
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.schema_files import FOLDER
from peft_pipelines.files.atomic import write_text
from peft_pipelines.files.screen import show


@click.command(cls=Command)
@click.option(
    "--output", metavar="FOLDER", callback=text_or_none, help=f"The folder to put them into. Default: conf/{FOLDER}."
)
@click.option("--check", is_flag=True, help="Write nothing; fail where the folder has others than would be written.")
def schema(output: str | None, check: bool) -> None:
    """Write JSON Schemas of the configuration's files, by which editors complete them and check them while one types.

    grid.json is for grid.yml, rows.json for the rows in conf/base/parameters, parameters.json for the parameters.yml of
    an environment. A file names its own in its first line, which editors with the YAML language server read, such as
    VS Code with the extension of Red Hat. Fields, allowed values and help are those of this project's code and of the
    installed libraries: after a change of these, write the schemas again.

    \b
    kedro schema
    kedro schema --check
    """
    folder = Path(output or os.path.relpath((find_kedro_project(Path.cwd()) or Path.cwd()) / "conf" / FOLDER))
    made = {folder / name: text for name, text in texts().items()}
    stale = [path for path, text in made.items() if not path.is_file() or _read(path) != text]
    if check and stale:
        raise ConfigError(f"{', '.join(map(str, stale))}: not what the code says; write anew with `kedro schema`")
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for path in stale:
            write_text(path, made[path])
    show("\n".join(f"{path}: {'written' if path in stale else 'unchanged'}" for path in made))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")  # what is no text is no schema either


def texts() -> dict[str, str]:
    """Return the content of each schema by the name of its file."""
    from peft_pipelines.config.row_schemas import Known, schemas  # noqa: PLC0415  (heavy: only this command needs all)
    from peft_pipelines.data.preprocess import FUNCTIONS  # noqa: PLC0415
    from peft_pipelines.evaluation.metrics.registry import METRICS  # noqa: PLC0415
    from peft_pipelines.training import loss, optimizers  # noqa: PLC0415

    known = Known(
        methods=_method_types(),
        optimizers={name: kind.options for name, kind in optimizers.KINDS.items()},
        losses={name: loss.options_of(function) for name, function in loss.LOSSES.items()},
        metrics=sorted(METRICS),
        functions=list(FUNCTIONS),
    )
    return {name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in schemas(known).items()}


def _method_types() -> dict[str, dict[str, Any] | None]:
    """The schemas of all types' configs by provider; of folders and packages none, which are no part of the code."""
    from peft_pipelines.methods.catalogue import available  # noqa: PLC0415
    from peft_pipelines.methods.kind_schemas import config_schema  # noqa: PLC0415
    from peft_pipelines.methods.providers import PROVIDERS  # noqa: PLC0415

    found: dict[str, dict[str, Any] | None] = {name: {} for name in PROVIDERS}
    for kind in available():
        types = found[kind.provider]
        if types is not None and not kind.note:
            types[kind.type] = config_schema(kind.all_fields)
    return {**found, "custom": None}
