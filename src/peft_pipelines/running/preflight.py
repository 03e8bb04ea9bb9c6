"""Checks before any weights are read: missing inputs are downloaded, then each row is tried on what it names."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from transformers import PreTrainedModel

from peft_pipelines.config import ExecutionSpec, MethodSpec, ModelSpec, SamplingSpec, TaskSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data import fetch
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.evaluation import sandbox
from peft_pipelines.files import names
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model, gate
from peft_pipelines.running.room import check_labels_fit, check_positions, check_room, check_vocabulary
from peft_pipelines.running.rows_check import check_rows
from peft_pipelines.storage.splits import RowsFolder
from peft_pipelines.training import optimizers
from peft_pipelines.training.loss import loss_of
from peft_pipelines.training.shortcuts import Shortcuts


def preflight(pipeline: Pipeline, catalog: DataCatalog, lock: Path, write: Callable[[str], None]) -> None:
    """Download what the pipeline's nodes lack; try its rows on the real examples and on models without weights.

    Raises:
        ConfigError: the first error that is found.
    """
    inputs = Inputs(pipeline, catalog)
    for execution in inputs.executions():
        sandbox.check(execution)
    for _ in fetch_missing(inputs, catalog, lock, write):
        pass
    for task, sampling in inputs.sampled():
        check_rows(task, sampling, catalog)
    prompters = {model.name: prompter_of(model, weights(model, catalog)) for model in inputs.models()}
    for task, model, limit, method in inputs.limits():
        check_room(task, replace(prompters[model.name], max_length=limit))
        check_labels_fit(task, model.name, prompters[model.name])
        check_positions(task, method, limit, gate.opened(model, weights(model, catalog)).config)
    skeletons: dict[str, PreTrainedModel] = {}
    for method, model, training_args in inputs.attached():
        if model.name not in skeletons:
            skeletons[model.name] = base_model.skeleton(model, weights(model, catalog))
        check_method(method, skeletons[model.name], training_args)


def prompter_of(model: ModelSpec, folder: Path) -> Prompter:
    """Return the prompter of the model in a folder, without a limit of length.

    Raises:
        ConfigError: the folder is not a model's, its tokenizer cannot be read, has no chat template where the row
            says that it has, or ends no answer.
    """
    where = f"model '{model.name}', folder '{folder}'"
    prompter = Prompter.of(model, gate.tokenizer(model, folder), sys.maxsize)
    try:
        if model.chat_template:
            prompter.template.check()
        prompter.end_of_turn()
        check_vocabulary(prompter, gate.opened(model, folder).config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return prompter


def check_method(method: MethodSpec, skeleton: PreTrainedModel, training_args: TrainingSpec) -> None:
    """Raise ConfigError where the method cannot be attached to the model, or not be trained with these arguments."""
    training_args = training_args.overridden(method)
    loss_of(training_args, method)
    optimizers.check(method)
    providers.check(method, base_model.clone(skeleton))
    if training_args.gradient_checkpointing or optimizers.is_picky(method):
        with torch.device("meta"):
            attached = providers.attach(base_model.clone(skeleton), method, seed=0)
        Shortcuts.of(attached, training_args)
        optimizers.build(attached, training_args, method)


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
    for model in inputs.models():
        folder, what = weights(model, catalog), f"model '{model.name}'"
        if not model.folder and not (folder / "config.json").is_file():
            write(f"fetching {what}")
        yield what, folder, fetch.fetch_model(model, folder, lock)
    for task, raw in inputs.tasks():
        dataset = catalog.get(raw)
        if isinstance(dataset, RowsFolder) and dataset.hub:
            folder, what = Path(dataset._filepath), f"rows of task '{task.name}'"
            if not dataset.exists():
                write(f"fetching {what}")
            yield what, folder, fetch.fetch_rows(task, folder, lock)


def weights(model: ModelSpec, catalog: DataCatalog) -> Path:
    """The model's folder: its row's own, or the catalog's, which is made where it is asked for."""
    return base_model.folder_of(model, Path() if model.folder else catalog.load(names.weights(model.name)))
