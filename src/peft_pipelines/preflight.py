"""Everything that can be found wrong before a weight is read: what is missing is fetched, then each row is tried."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines import fetch, models, providers
from peft_pipelines.io import RowsFolder
from peft_pipelines.pipelines.data.nodes import check_raw
from peft_pipelines.runners.units import is_parameter
from peft_pipelines.specs import MethodSpec, ModelSpec, TaskSpec

Say = Callable[[str], None]


def preflight(pipeline: Pipeline, catalog: DataCatalog, lock: Path, say: Say) -> None:
    """Fetch what the pipeline's nodes lack, and try all its rows on the real data and on models without weights.

    Raises:
        ConfigError: the first thing that is wrong.
    """
    rows = Rows(pipeline, catalog)
    for _ in fetch_missing(rows, catalog, lock, say):
        pass
    for task, raw in rows.tasks():
        check_raw(catalog.load(raw), task)
    skeletons: dict[str, Any] = {}
    for method, model in rows.pairs():
        if model.name not in skeletons:
            skeletons[model.name] = models.skeleton(model, weights(model, catalog))
        providers.check(method, models.clone(skeletons[model.name]))


class Rows:
    """The rows that a pipeline's nodes are given; each is read out of the catalog once."""

    def __init__(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        values: dict[str, Any] = {}
        self._nodes: list[tuple[list[str], list[Any]]] = []
        for node in pipeline.nodes:
            names = [name for name in node.inputs if is_parameter(name)]
            values |= {name: catalog.load(name) for name in names if name not in values}
            self._nodes.append((node.inputs, [values[name] for name in names]))

    def tasks(self) -> list[tuple[TaskSpec, str]]:
        """The tasks whose raw rows are read, with the dataset of these rows."""
        found = {
            row.name: (row, f"{row.name}_raw")
            for inputs, rows in self._nodes
            for row in rows
            if isinstance(row, TaskSpec) and f"{row.name}_raw" in inputs
        }
        return list(found.values())

    def pairs(self) -> list[tuple[MethodSpec, ModelSpec]]:
        """The methods and models that meet in a node, each pair once."""
        found = {
            (method.name, model.name): (method, model)
            for _, rows in self._nodes
            for method in rows
            if isinstance(method, MethodSpec)
            for model in rows
            if isinstance(model, ModelSpec)
        }
        return list(found.values())


def fetch_missing(rows: Rows, catalog: DataCatalog, lock: Path, say: Say) -> Iterator[tuple[str, Path, bool]]:
    """Bring the models and the hub's rows that are read onto this machine: what, where, and whether it was missing.

    Args:
        rows: only these are looked at.
        catalog: says where they belong, and which raw rows come from the hub (``hub: true``).
        lock: the file that holds the revision of each source of the hub; the first fetch writes it.
        say: is told of each fetch before it begins.
    """
    for model in {model.name: model for _, model in rows.pairs()}.values():
        folder, what = weights(model, catalog), f"model '{model.name}'"
        if not model.folder and not (folder / "config.json").is_file():
            say(f"fetching {what}")
        yield what, folder, fetch.fetch_model(model, folder, lock)
    for task, raw in rows.tasks():
        dataset = catalog.get(raw)
        if isinstance(dataset, RowsFolder) and dataset.hub:
            folder, what = Path(dataset._filepath), f"rows of task '{task.name}'"
            if not dataset.exists():
                say(f"fetching {what}")
            yield what, folder, fetch.fetch_rows(task, folder, lock)


def weights(model: ModelSpec, catalog: DataCatalog) -> Path:
    """The model's folder: its row's own, or the catalog's."""
    return models.folder_of(model, catalog.load(f"{model.name}_weights"))
