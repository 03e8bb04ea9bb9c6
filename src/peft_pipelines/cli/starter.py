"""The starter of new projects: a template of cookiecutter, and what it shares with this project itself.

Configuration, methods and embedded examples exist once: in the checkout, from which the build lays them into the wheel.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cookiecutter.generate import generate_files
from kedro.framework.cli.starters import KedroStarterSpec

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.names import METHODS_FOLDER
from peft_pipelines.files.shipped import CONF, OF_ONE_MACHINE, shipped

FOLDERS: Final = (CONF, METHODS_FOLDER, "data/01_raw/samples")
FILES: Final = ("constraints.txt", ".telemetry")
STARTERS: Final = [KedroStarterSpec(alias="peft-pipelines", template_path=str(shipped() / "starter"))]
"""What ``kedro new`` and ``kedro starter list`` find by the entry point ``kedro.starters``."""


def fill(folder: Path) -> None:
    """Copy configuration, methods, embedded examples and locked releases into a project's folder."""
    for name in FOLDERS:
        shutil.copytree(shipped() / name, folder / name, ignore=_private, dirs_exist_ok=True)
    for name in FILES:
        shutil.copyfile(shipped() / name, folder / name)


def _private(folder: str, names: Iterable[str]) -> list[str]:
    """Return what is not copied: compiled modules, and settings of the machine that is copied from."""
    of_one_machine = Path(folder).name == OF_ONE_MACHINE
    return [name for name in names if name == "__pycache__" or (of_one_machine and name != ".gitkeep")]


def make_project(folder: Path) -> None:
    """Make a project in a folder that is empty or not there yet. One that fails on the way leaves nothing.

    Raises:
        ConfigError: something is in the folder, or its name cannot be one of a project.
        OSError: the folder cannot be written.
    """
    folder = folder.resolve()
    _check(folder)
    there = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".init-", dir=folder))
    try:
        _render(scratch, folder.name)
        fill(scratch / folder.name)
        for part in sorted((scratch / folder.name).iterdir()):
            os.replace(part, folder / part.name)
    finally:
        shutil.rmtree(scratch)
        if not there and not any(folder.iterdir()):
            folder.rmdir()


def _check(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"init: '{folder}' must be a new or an empty folder, and is a file")
    if folder.is_dir() and (found := sorted(path.name for path in folder.iterdir())):
        listed = f"'{found[0]}'" + (f" and {len(found) - 1} more" if found[1:] else "")
        raise ConfigError(f"init: '{folder}' must be a new or an empty folder, and holds {listed}")
    if wrong := next((sign for sign in folder.name if sign in '"\\{}%' or not sign.isprintable()), None):
        raise ConfigError(f"init: a project's name must have none of \" \\ {{ }} %, got {wrong!r} in '{folder.name}'")


def _render(folder: Path, name: str) -> None:
    """Write the files of the template, into a folder of the project's name in ``folder``."""
    template = shipped() / "starter"
    values = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    context = {"cookiecutter": {**values, "project_name": name, "repo_name": name}}
    generate_files(str(template), context, output_dir=str(folder), accept_hooks=False)
