"""What happens around a run: rows are checked before anything else and named after their keys; the end is told."""

# ruff: noqa: PLC0415  (Kedro imports this module for every command, and `kedro --help` must not wait for torch: what loads
# it is imported where it is used)

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.hooks import hook_impl

from peft_pipelines.config import AXES, EnergySpec, Parameters, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import energy
from peft_pipelines.data import preprocess
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.files import names
from peft_pipelines.files.status import Status
from peft_pipelines.running.display import say
from peft_pipelines.running.failures import PartsFailed

if TYPE_CHECKING:
    from kedro.config import AbstractConfigLoader
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from peft_pipelines.tracking.manifest import Manifest
    from peft_pipelines.tracking.stamp import Stamps

OWN_RUNNER = "CellRunner"
RUNNERS = (OWN_RUNNER, "SequentialRunner")
REFUSED = ("ParallelRunner", "ThreadRunner")

_loader: "AbstractConfigLoader | None" = None
_methods_folder: str | None = None


def current_loader() -> "AbstractConfigLoader | None":
    """The configuration of the session that runs now, if one does."""
    return _loader


class ProjectHooks:
    """The project's hooks."""

    _project: Path
    _manifest: "Manifest | None" = None
    _stamps: "Stamps | None" = None

    @hook_impl
    def after_context_created(self, context: "KedroContext") -> None:
        """Check all rows and the grid; give each row its name, and let the run know the grid."""
        from peft_pipelines.pipelines.grid import load_grid
        from peft_pipelines.running import quiet

        global _loader  # noqa: PLW0603  (Kedro builds pipelines without passing the session's configuration)
        _loader = context.config_loader
        self._project = context.project_path
        _name_methods_folder(context.project_path / names.METHODS_FOLDER)
        quiet.silence()
        parameters, grid = _loader["parameters"], load_grid(_loader)
        rows = Parameters.of(parameters)
        for task in rows.tasks.values():
            task.check(preprocess.FUNCTIONS, registry.METRICS)
        rows.check(grid)
        _loader["parameters"] = {**named(parameters), "grid": grid.model_dump(mode="json")}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Fetch what is missing and find what is wrong, before any weights are read."""
        from peft_pipelines.running.preflight import preflight
        from peft_pipelines.running.report_runner import forget_failures
        from peft_pipelines.running.state import forget
        from peft_pipelines.running.units import split
        from peft_pipelines.tracking.manifest import Manifest
        from peft_pipelines.tracking.stamp import Stamps

        _check_runner(run_params["runner"])
        preflight(pipeline, catalog, self._project / names.LOCK, say)
        if OWN_RUNNER not in run_params["runner"]:
            work = split(pipeline.nodes, {})
            forget(work.data + work.cells, catalog)
            forget_failures(catalog)
        energy.use(_energy(catalog.load(names.PARAMETERS)))
        self._manifest = Manifest(run_params, pipeline, catalog, self._project)
        self._stamps = Stamps(self._manifest, catalog)
        self._manifest.write(Status.RUNNING)

    @hook_impl
    def before_node_run(self, node: "Node") -> None:
        """Note when a cell begins."""
        if self._stamps:
            self._stamps.begin(node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, data: Any, node: "Node") -> None:
        """Put into what a cell makes where it comes from."""
        if self._stamps:
            self._stamps.stamp(dataset_name, data, node)

    @hook_impl
    def after_pipeline_run(self, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Put the run on record, show the table and name the files."""
        self._record(Status.DONE)
        self._close(pipeline, catalog)

    @hook_impl
    def on_pipeline_error(self, error: Exception, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Put the run on record; show the table and name the files where parts failed and the rest stands."""
        if isinstance(error, PartsFailed):
            self._record(error.status)
            self._close(pipeline, catalog)
        else:
            self._record(Status.FAILED, f"{type(error).__name__}: {error}")

    def _record(self, status: str, reason: str | None = None) -> None:
        """Write the run's manifest; a run that ended before it began has none."""
        manifest, self._manifest, self._stamps = self._manifest, None, None
        if manifest:
            manifest.write(status, reason)

    def _close(self, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        from peft_pipelines.running.summary import closing

        text = closing(pipeline, catalog, self._project)
        if text:
            click.echo(text)


def _energy(parameters: dict[str, Any]) -> EnergySpec | None:
    """The row that says whether energy is estimated; without one it is not."""
    row = parameters.get("energy")
    return None if row is None else parse(EnergySpec, "energy", row)


def _name_methods_folder(folder: Path) -> None:
    """Point ``PEFT_DIR`` at the project that runs now, unless the user has pointed it elsewhere."""
    global _methods_folder  # noqa: PLW0603  (what an earlier project of this process has set is not the user's)
    if os.environ.get("PEFT_DIR") in (None, _methods_folder):
        _methods_folder = os.environ["PEFT_DIR"] = str(folder)


def _check_runner(runner: str) -> None:
    """Refuse the runners that share out nodes: a live model cannot leave its process, and there is one at a time."""
    name = next((name for name in REFUSED if name in runner), None)
    if name:
        raise ConfigError(
            f"--runner: '{name}' cannot run this project, which has one model at a time, in one process. "
            f"Allowed: {', '.join(RUNNERS)}"
        )


def named(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters whose task, model and method rows carry their own names.

    >>> named({"tasks": {"x": {"type": "t"}}, "models": {}, "methods": {}})["tasks"]["x"]
    {'type': 't', 'name': 'x'}
    """
    axes = {
        axis: {name: {**row, "name": name} for name, row in parameters[axis].items()}
        for axis in AXES
        if axis != "seeds"  # a seed is a number, without fields
    }
    return {**parameters, **axes}
