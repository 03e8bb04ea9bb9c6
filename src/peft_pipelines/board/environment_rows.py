"""The rows and the grid of an environment as its files say, read again when one of them changes."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from peft_pipelines.board.project import Project
from peft_pipelines.config import Grid, Parameters
from peft_pipelines.pipelines.grid import load_grid

_KEPT: Final = 8
"""Environments that are remembered."""
_known: OrderedDict[tuple[Path, str], tuple[object, "Rows"]] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True)
class Rows:
    """The checked rows and the grid of an environment, and where the raw examples of a task lie."""

    parameters: Parameters
    grid: Grid
    raw: Path

    def here(self, task: str) -> bool:
        """Whether a task's raw examples are on this machine."""
        return (self.raw / task).is_dir()


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
    raw = loader["catalog"]["{task}_raw"]["filepath"]
    return Rows(rows, grid, project.root / Path(str(raw)).parent)


def _stamp(project: Project, env: str) -> object:
    """What changes when a file of the base or the environment does."""
    folders = [project.conf / name for name in (project.base, env)]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(path, (stat := path.stat()).st_mtime_ns, stat.st_size, stat.st_ino) for path in files]
