"""The rows and the grid of an environment as its files say, read again when one of them changes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from peft_pipelines.board.project import Project
from peft_pipelines.config import Cell, Grid, Parameters
from peft_pipelines.files import names
from peft_pipelines.pipelines.grid import load_grid

RAW: Final = names.raw("{task}")
METRICS: Final = names.artifact(
    Cell.model_construct(method="{method}", model="{model}", task="{task}", seed="{seed}"), names.METRICS
)
"""Entries of the catalog."""
_KEPT: Final = 8
"""Environments that are remembered."""
_known: OrderedDict[tuple[Path, str], tuple[object, "Rows"]] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True)
class Rows:
    """The checked rows and the grid of an environment, and where its raw examples, runs and scores lie."""

    parameters: Parameters
    grid: Grid
    raw: Mapping[str, Path]
    runs: Path
    metrics: str

    def scored(self, cell: Cell) -> Path:
        """Return the file with a cell's scores, which need not be there."""
        return Path(self.metrics.format(**cell.model_dump()))


def rows_of(project: Project, env: str) -> Rows:
    """Return what the files of an environment say now.

    Raises:
        ConfigError: one of them is not as it must be.
    """
    key, stamp = (project.conf, env), _stamp(project, env)
    with _lock:
        if key in _known and _known[key][0] == stamp:
            _known.move_to_end(key)
            return _known[key][1]
    found = read(project, env)
    with _lock:
        _known[key] = stamp, found
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def read(project: Project, env: str) -> Rows:
    """Read an environment's files; errors as of ``rows_of``. Names of the grid may have no rows."""
    loader = project.loader(env)
    parameters: dict[str, Any] = loader["parameters"]
    loader["parameters"] = parameters  # what is set is not merged from all files anew
    grid, rows = load_grid(loader), Parameters.of(parameters)
    catalog = loader["catalog"]
    every, runs, metrics = (str(project.root / catalog[name]["filepath"]) for name in (RAW, names.RUNS, METRICS))
    own = {task: catalog.get(names.raw(task), {}).get("filepath") for task in rows.tasks}
    raw = {task: project.root / (path or every.format(task=task)) for task, path in own.items()}
    return Rows(rows, grid, raw, Path(runs), metrics)


def _stamp(project: Project, env: str) -> object:
    """What changes when a file of the base or the environment does."""
    folders = [project.conf / name for name in (project.base, env)]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(path, (stat := path.stat()).st_mtime_ns, stat.st_size, stat.st_ino) for path in files]
