"""Another cell to answer beside one, on the same base model: by its names, or by the name of its method alone."""

from dataclasses import replace

from kedro.io import DataCatalog

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.config.errors import unknown
from peft_pipelines.files import names
from peft_pipelines.inference.answerer import Answerer
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell


def cell_beside(catalog: DataCatalog, cell: LoadedCell, name: str) -> LoadedCell:
    """Return another cell, ready to answer.

    Args:
        catalog: that of a session.
        cell: the first cell.
        name: ``METHOD.MODEL.TASK.SEED``; or a method, for the cell of the first one's other names. The untuned model
            needs no cell on record.

    Raises:
        ConfigError: the method is unknown, or errors as for ``load_cell``.
    """
    if "." in name:
        return load_cell(catalog, name)
    methods, recorded = catalog.load(names.PARAMETERS)["methods"], cell.recorded
    if name not in methods:
        raise unknown("--beside", "method", name, sorted(methods))
    method = parse(MethodSpec, f"method '{name}'", methods[name])
    other = recorded.cell.model_copy(update={"method": name})
    if not method.is_base_model:
        return load_cell(catalog, other)
    training_args = recorded.training_args.overridden(method)
    folder = recorded.checkpoint.folder  # nothing of it is read: there is nothing to load
    answerer = Answerer.of(cell.answerer.base, method, training_args, recorded.task, folder)
    return LoadedCell(replace(recorded, cell=other, method=method, training_args=training_args), answerer)
