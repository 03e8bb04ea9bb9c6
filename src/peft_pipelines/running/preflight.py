"""Checks before any weights are read: missing inputs are downloaded, then each row is tried on what it names."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines.config import ExecutionSpec, MethodSpec, ModelSpec, SamplingSpec, TaskSpec, TrainingSpec
from peft_pipelines.data import fetch
from peft_pipelines.evaluation import sandbox
from peft_pipelines.files import names
from peft_pipelines.models import enough_memory
from peft_pipelines.running.rows_check import check_rows
from peft_pipelines.running.sound_models import check_models
from peft_pipelines.running.units import model_folder
from peft_pipelines.storage.splits import RowsFolder


def preflight(
    pipeline: Pipeline, catalog: DataCatalog, lock: Path, write: Callable[[str], None], *, here: bool = True
) -> None:
    """Download what the pipeline's nodes lack; try its rows on the real examples and on models without weights.

    ``here`` says whether cells are computed on this machine, whose memory must do then.

    Raises:
        ConfigError: the first error that is found.
    """
    inputs = Inputs(pipeline, catalog)
    for execution in inputs.executions():
        sandbox.check(execution)
    for _ in fetch_missing(inputs, catalog, lock, write):
        pass
    check(inputs, catalog, here=here)


def check(inputs: "Inputs", catalog: DataCatalog, *, here: bool = True) -> None:
    """Try rows on the real examples and on models without weights; all that they read must be there.

    ``here`` says whether cells are computed on this machine, whose memory must do then.

    Raises:
        ConfigError: the first error that is found.
    """
    for task, sampling in inputs.sampled():
        check_rows(task, sampling, catalog)
    folders = {model.name: model_folder(model, catalog) for model in inputs.models()}
    needs = check_models(inputs.models(), folders, inputs.limits(), inputs.attached())
    if here:
        enough_memory.check_fits(needs)


class Inputs:
    """The inputs of a pipeline's nodes; each row is read out of the catalog once."""

    def __init__(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        values: dict[str, Any] = {}
        self._nodes: list[tuple[list[str], list[Any]]] = []
        for node in pipeline.nodes:
            given = [name for name in node.inputs if names.is_parameter(name)]
            values |= {name: catalog.load(name) for name in given if name not in values}
            self._nodes.append((node.inputs, [values[name] for name in given]))

    def tasks(self) -> list[tuple[TaskSpec, str]]:
        """The tasks whose raw rows are read, with the dataset of these rows."""
        found = {
            row.name: (row, names.raw(row.name))
            for inputs, rows in self._nodes
            for row in rows
            if isinstance(row, TaskSpec) and names.raw(row.name) in inputs
        }
        return list(found.values())

    def sampled(self) -> list[tuple[TaskSpec, SamplingSpec]]:
        """The tasks whose raw rows are drawn, with how many of them."""
        return list({task.name: (task, sampling) for task, sampling in self._together(TaskSpec, SamplingSpec)}.values())

    def models(self) -> list[ModelSpec]:
        """The models that are read, if only for their tokenizer."""
        found = {
            row.name: row
            for inputs, rows in self._nodes
            for row in rows
            if isinstance(row, ModelSpec) and names.weights(row.name) in inputs
        }
        return list(found.values())

    def limits(self) -> list[tuple[TaskSpec, ModelSpec, int, MethodSpec]]:
        """The tasks, models and methods that meet, with the tokens that a row may have there."""
        found = {}
        for task, model, training_args, method in self._together(TaskSpec, ModelSpec, TrainingSpec, MethodSpec):
            limit = task.limit(training_args.overridden(method))
            found[task.name, model.name, method.name] = (task, model, limit, method)
        return list(found.values())

    def executions(self) -> list[ExecutionSpec]:
        """The limits under which answers are to be run on test cases; empty where none are."""
        together = self._together(TaskSpec, ExecutionSpec)
        return [execution for task, execution in together if task.tests and execution.enabled][:1]

    def attached(self) -> list[tuple[MethodSpec, ModelSpec, TrainingSpec]]:
        """The methods and models that meet under the training arguments, each pair once."""
        found = {
            (method.name, model.name): (method, model, training_args)
            for method, model, training_args in self._together(MethodSpec, ModelSpec, TrainingSpec)
        }
        return list(found.values())

    def _together(self, *kinds: type[Any]) -> Iterator[tuple[Any, ...]]:
        """The rows of some kinds that one node is given together."""
        for _, rows in self._nodes:
            yield from product(*([row for row in rows if isinstance(row, kind)] for kind in kinds))


def fetch_missing(
    inputs: Inputs, catalog: DataCatalog, lock: Path, write: Callable[[str], None]
) -> Iterator[tuple[str, Path, bool]]:
    """Download the models and the hub's examples that are read; yield name, folder, and whether it was missing.

    Args:
        inputs: the models and tasks that are needed.
        catalog: says where they belong, and which raw rows come from the hub (``hub: true``).
        lock: the file that holds the revision of each source of the hub; the first fetch writes it.
        write: is called with a line before each download.
    """
    lacking = missing(inputs, catalog)
    for model in inputs.models():
        folder, what = model_folder(model, catalog), f"model '{model.name}'"
        if names.weights(model.name) in lacking:
            write(f"fetching {what}")
        yield what, folder, fetch.fetch_model(model, folder, lock)
    for task, raw in inputs.tasks():
        dataset = catalog.get(raw)
        if isinstance(dataset, RowsFolder) and dataset.hub:
            folder, what = Path(dataset._filepath), f"rows of task '{task.name}'"
            if raw in lacking:
                write(f"fetching {what}")
            yield what, folder, fetch.fetch_rows(task, folder, lock)


def missing(inputs: Inputs, catalog: DataCatalog) -> dict[str, str]:
    """Return what would be downloaded, in words, by the name of the dataset that lacks it. No folder is made."""
    found = {}
    for model in inputs.models():
        name = names.weights(model.name)
        folder = catalog.get(name)
        if folder and not model.folder and not Path(folder._describe()["filepath"], "config.json").is_file():
            found[name] = f"model '{model.name}'"
    for task, raw in inputs.tasks():
        dataset = catalog.get(raw)
        if isinstance(dataset, RowsFolder) and dataset.hub and not dataset.exists():
            found[raw] = f"rows of task '{task.name}'"
    return found
