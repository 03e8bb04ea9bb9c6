"""The trackers of a run: checked before it begins, told what becomes of its cells, and put on record with it."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Final

from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.screen import show_line
from peft_pipelines.files.status import Status
from peft_pipelines.running import interruption
from peft_pipelines.running.kedro_runners import keeps_records
from peft_pipelines.tracking.manifest import Manifest
from peft_pipelines.tracking.trackers.mlflow_runs import MlflowRuns
from peft_pipelines.tracking.trackers.reporter import PATIENCE, Reporter, Told
from peft_pipelines.tracking.trackers.tensorboard_files import TensorboardFiles
from peft_pipelines.tracking.trackers.tracked_cell import tracked_cell
from peft_pipelines.tracking.trackers.tracked_runs import Tracker
from peft_pipelines.tracking.trackers.wandb_runs import WandbRuns

KNOWN: Final[dict[str, Callable[[Path], Tracker]]] = {
    "mlflow": MlflowRuns,
    "tensorboard": TensorboardFiles,
    "wandb": WandbRuns,
}
"""The trackers by the names of the configuration, which are those of their packages and extras too."""
HURRY, RECORD = 3.0, 1.0
"""Seconds that all trackers have where a signal has ended a run, and those that are left to its record."""


def check(asked: Sequence[str], runner: str, catalog: DataCatalog) -> None:
    """Check that a run can tell the trackers that it is asked for.

    Args:
        asked: their names.
        runner: the run's runner, as Kedro gives it to hooks.
        catalog: must say where trackers write.

    Raises:
        ConfigError: the package of one is not installed, the runner does not say what becomes of cells, or the catalog
            is one of an earlier release.
    """
    for name in asked:
        if find_spec(name) is None:
            raise ConfigError(
                f"trackers: '{name}' is not installed; pip install 'peft-pipelines[{name}]', "
                f"in a clone of the project pip install -e '.[{name}]'"
            )
    if asked and not keeps_records(runner):
        raise ConfigError(
            f"trackers: {', '.join(asked)} must be left out with Kedro's own runner, which does not say what becomes "
            "of cells: --params trackers=[]"
        )
    if asked and names.TRACKERS not in catalog.keys():  # noqa: SIM118  (a pattern of Kedro's may match any name)
        raise ConfigError(
            f"catalog.yml: trackers ({', '.join(asked)}) need an entry '{names.TRACKERS}', as in a new project"
        )


class Trackers:
    """The trackers of a run, each told in a thread of its own. None of their errors reaches the run.

    Args:
        asked: their names.
        manifest: the run's record, which says at the end what has become of each.
        catalog: says where what a cell makes lies.
    """

    def __init__(self, asked: Sequence[str], manifest: Manifest, catalog: DataCatalog) -> None:
        self._asked, self._manifest, self._catalog = asked, manifest, catalog
        self._reporters: list[Reporter] = []
        self._decided: dict[str, str] = {}
        self._stopped: dict[str, str] = {}

    def plan(self, cells: Mapping[str, str]) -> None:
        """Begin, where there are cells to be made; ``cells`` gives for each the hash of what decides it."""
        self._decided = dict(cells)
        if cells and not self._reporters:
            folder = Path(self._catalog.get(names.TRACKERS)._describe()["filepath"])  # type: ignore[union-attr]
            self._reporters = [Reporter(name, KNOWN[name], folder) for name in self._asked]
            for reporter in self._reporters:
                reporter.wait()
            self._show_trouble()

    def begin(self, cell: str) -> None:
        """Tell that a cell begins."""
        told = tracked_cell(cell, self._decided[cell], self._manifest, self._catalog)
        self._tell(lambda runs: runs.begin(told))

    def log(self, cell: str, phase: str, entry: Mapping[str, float]) -> None:
        """Tell what a training of a cell has logged; its phase names the series."""
        series = phase.replace(", ", "_").replace(" ", "_")
        self._tell(lambda runs: runs.log(cell, series, entry))

    def end_cell(self, cell: str, failed: bool) -> None:
        """Tell that a cell has ended."""
        self._tell(lambda runs: runs.end(cell, failed))

    def end(self, status: str) -> None:
        """Wait until all is written, and put on record what has become of each tracker.

        Args:
            status: the run's. One that a signal has ended has little time, and its own record comes behind this.
        """
        seconds = min(HURRY, interruption.seconds_left() - RECORD) if status == Status.INTERRUPTED else PATIENCE
        until = monotonic() + seconds
        for reporter in self._reporters:
            reporter.end(max(0.0, until - monotonic()))
        self._show_trouble()
        if self._reporters:
            found = {each.name: self._stopped.get(each.name, Status.DONE) for each in self._reporters}
            self._manifest.facts["trackers"] = found

    def _tell(self, told: Told) -> None:
        for reporter in self._reporters:
            reporter.tell(told)
        self._show_trouble()

    def _show_trouble(self) -> None:
        """Print in a line what has stopped a tracker, once."""
        for each in self._reporters:
            if each.trouble and each.name not in self._stopped:
                self._stopped[each.name] = each.trouble
                show_line(f"tracker '{each.name}' has stopped, and the cells go on without it: {each.trouble}")
