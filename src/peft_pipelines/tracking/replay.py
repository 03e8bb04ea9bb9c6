"""Repetition of a run on record, from its own configuration, in a store of its own."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.project import settings

from peft_pipelines.config import AXES, Cell
from peft_pipelines.config.commented_yaml import plain_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.yaml_tree import Dumper
from peft_pipelines.files import names
from peft_pipelines.files.status import Status
from peft_pipelines.tracking.runs import MANIFEST, Run


def replay(run: Run, cells: Sequence[str], project: Path, env: str | None, params: Mapping[str, Any], to: Path) -> Run:
    """Make cells of a run again and return the new run. The store of the old one is only read.

    It happens in a process of its own, as ``kedro run`` would, on the rows of the manifest; raw rows and base models
    come from where today's configuration says that they are.

    Args:
        run: the run on record.
        cells: the ids of its cells that are made again.
        project: the project's folder.
        env: the environment whose catalog is used.
        params: the catalog's folders, as ``--params`` gives them.
        to: an empty folder for configuration and store.

    Raises:
        ConfigError: the replay could not begin.
    """
    catalog = _catalog(project, env, {**params, "store": str(to / "store")})
    conf = _configuration(run, catalog, to / "conf")
    command = [sys.executable, "-m", "kedro", "run", f"--conf-source={conf}", *_selection(run, cells)]
    environment = {key: value for key, value in os.environ.items() if key != "KEDRO_ENV"} | {"DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, check=False)
    made = sorted(Path(catalog[names.RUNS]["filepath"]).glob(f"*/{MANIFEST}"))
    if not made or Run(made[-1].parent).manifest["status"] in (Status.RUNNING, Status.FAILED, Status.INTERRUPTED):
        raise ConfigError(f"run {run.id}: the replay ended with exit code {done.returncode} before its cells were made")
    return Run(made[-1].parent)


def _catalog(project: Path, env: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """The catalog of an environment with its folders filled in."""
    loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project / settings.CONF_SOURCE), env=env, runtime_params=params, **settings.CONFIG_LOADER_ARGS
    )
    found: dict[str, Any] = loader["catalog"]
    for row in found.values():
        if "filepath" in row:
            row["filepath"] = str(project / row["filepath"])
    return found


def _configuration(run: Run, catalog: Mapping[str, Any], folder: Path) -> Path:
    """A configuration's folder that holds the run's own rows."""
    rows = {key: value for key, value in run.rows.items() if key != "grid"}
    files = {"parameters.yml": rows, "grid.yml": run.rows["grid"], "catalog.yml": catalog}
    (folder / "local").mkdir(parents=True)
    (folder / "base").mkdir()
    for name, content in files.items():
        text = yaml.dump(plain_of(content), Dumper=Dumper, sort_keys=False, allow_unicode=True)
        (folder / "base" / name).write_text(text, encoding="utf-8")
    return folder


def _selection(run: Run, cells: Sequence[str]) -> list[str]:
    """The options that choose the cells and the data of their tasks; none where these are all of the grid."""
    grid = run.rows["grid"]
    total = math.prod(len(grid[axis]) for axis in AXES)
    if len(cells) == total:
        return []
    tasks = dict.fromkeys(Cell.of(cell).task for cell in cells)
    tags = [*(names.data_tag(task) for task in tasks), *(names.cell_tag(cell) for cell in cells)]
    return [f"--tags={','.join(tags)}"]
