"""The project's steps around a run: rows are checked before anything else, and each run is put on record."""

# ruff: noqa: PLC0415  (Kedro imports this module for every command, and `kedro --help` must not wait for torch: what loads
# it is imported where it is used)

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from peft_pipelines.config import Parameters, with_names
from peft_pipelines.costs import energy
from peft_pipelines.data import preprocess
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.files import names
from peft_pipelines.files.screen import escape_logs, show, show_line
from peft_pipelines.files.status import Status
from peft_pipelines.methods.custom_folder import use_methods_of
from peft_pipelines.running import claims, kedro_runners
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.interruption import Interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.config import AbstractConfigLoader
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from peft_pipelines.config import EnergySpec
    from peft_pipelines.tracking.manifest import Manifest
    from peft_pipelines.tracking.stamp import Stamps
    from peft_pipelines.tracking.trackers.trackers import Trackers

_loader: "AbstractConfigLoader | None" = None


def current_loader() -> "AbstractConfigLoader | None":
    """Return the configuration loader of the session that runs now, or None outside a session."""
    return _loader


class ProjectHooks:
    """Kedro's hooks of this project, one short step each."""

    _project: Path
    _energy: "EnergySpec | None" = None
    _forgets: bool = False
    _manifest: "Manifest | None" = None
    _stamps: "Stamps | None" = None
    _asked: tuple[str, ...] = ()
    _trackers: "Trackers | None" = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker gets: trackers are told by the run's own process."""
        return {**self.__dict__, "_trackers": None}

    @hook_impl
    def after_context_created(self, context: "KedroContext") -> None:
        """Check all rows and the grid; give each row its name, and add the grid to the parameters."""
        from peft_pipelines.pipelines.grid import load_grid
        from peft_pipelines.running import quiet

        global _loader  # noqa: PLW0603  (Kedro builds pipelines without passing the session's configuration)
        _loader = context.config_loader
        self._project = context.project_path
        use_methods_of(context.project_path)
        quiet.silence()
        escape_logs()
        parameters = _loader["parameters"]
        _loader["parameters"] = parameters  # what is set is not merged from all files anew
        grid = load_grid(_loader)
        rows = Parameters.of(parameters)
        for task in rows.tasks.values():
            task.check(preprocess.FUNCTIONS, registry.METRICS)
        rows.check(grid)
        metrics = rows.metrics(grid, registry.METRICS)
        self._energy, self._asked = rows.energy, rows.trackers
        _loader["parameters"] = {**with_names(parameters, metrics), "grid": grid.model_dump(mode="json")}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Download what is missing, and check all that can be checked before any weights are read."""
        from peft_pipelines.running.preflight import preflight
        from peft_pipelines.tracking.manifest import Manifest
        from peft_pipelines.tracking.order import reserve
        from peft_pipelines.tracking.stamp import Stamps
        from peft_pipelines.tracking.trackers import trackers

        kedro_runners.check_runner(run_params["runner"])
        trackers.check(self._asked, run_params["runner"], catalog)
        self._forgets = not kedro_runners.keeps_records(run_params["runner"])
        energy.configure(self._energy)
        manifest = Manifest(run_params, pipeline, catalog, self._project)
        stamps = Stamps(manifest)
        here = kedro_runners.computes_here(run_params["runner"])
        preflight(pipeline, catalog, self._project / names.LOCK, show_line, here=here)
        reserve(manifest.folder)
        self._trackers = trackers.Trackers(self._asked, manifest, catalog) if self._asked else None
        self._manifest, self._stamps = manifest, stamps  # a run that is refused before it begins leaves no record
        claims.begin(manifest.id)

    @hook_impl
    def on_worker_start(self) -> None:
        """Set up a worker's process as the run's own; what the hooks know of the run has come with them."""
        from peft_pipelines.running import quiet

        use_methods_of(self._project)
        quiet.silence()
        energy.configure(self._energy)

    @hook_impl
    def before_node_run(self, node: "Node", catalog: "DataCatalog") -> None:
        """Note when the run and its cells begin; remove records of earlier runs that this runner does not keep."""
        if self._stamps:
            self._stamps.begin(node)
        if self._forgets:
            kedro_runners.forget_records(node, catalog)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, data: Any, node: "Node") -> None:
        """Add its provenance to what a cell makes."""
        if self._stamps:
            self._stamps.stamp(dataset_name, data, node)

    @hook_impl
    def on_cells_planned(self, cells: "Mapping[str, str]") -> None:
        """Have the trackers begin."""
        if self._trackers:
            self._trackers.plan(cells)

    @hook_impl
    def on_cell_begin(self, cell: str) -> None:
        """Tell the trackers."""
        if self._trackers:
            self._trackers.begin(cell)

    @hook_impl
    def on_cell_logged(self, cell: str, phase: str, entry: "Mapping[str, float]") -> None:
        """Tell the trackers."""
        if self._trackers:
            self._trackers.log(cell, phase, entry)

    @hook_impl
    def on_cell_end(self, cell: str, failed: bool) -> None:
        """Tell the trackers."""
        if self._trackers:
            self._trackers.end_cell(cell, failed)

    @hook_impl
    def after_pipeline_run(self, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Put the run on record; print its tables and files, and only then leave the report to other runs."""
        try:
            self._end(Status.DONE)
            self._print_tables(pipeline, catalog)
        finally:
            claims.end()

    @hook_impl
    def on_pipeline_error(self, error: Exception, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        """Put the run on record; print its tables and files where parts failed and the rest stands."""
        try:
            if isinstance(error, PartsFailed):
                self._end(error.status)
                self._print_tables(pipeline, catalog)
            elif isinstance(error, Interrupted):
                self._end(Status.INTERRUPTED, str(error))
            else:
                with suppress(OSError):  # the disk that ended the run may refuse this too
                    self._end(Status.FAILED, f"{type(error).__name__}: {error}")
        finally:
            claims.end()

    def _end(self, status: str, reason: str | None = None) -> None:
        """Write the run's manifest; a run that ended before it began has none."""
        manifest, self._manifest, self._stamps = self._manifest, None, None
        trackers, self._trackers = self._trackers, None
        try:
            if trackers:
                trackers.end(status)
        finally:  # a signal may come while a tracker is waited for
            if manifest:
                manifest.end(status, reason)

    def _print_tables(self, pipeline: "Pipeline", catalog: "DataCatalog") -> None:
        from peft_pipelines.running.summary import tables_and_files

        text = tables_and_files(pipeline, catalog, self._project)
        if text:
            show(text)
