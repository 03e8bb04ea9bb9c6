"""Another cell to answer beside one, on the same base model: by its names, or by the name of its method alone."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from kedro.io import DataCatalog

from peft_pipelines.config import Cell, MethodSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.inference.answerer import Answerer
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell
from peft_pipelines.serving.recorded_cell import cell_of
from peft_pipelines.tracking.runs import find


def beside_of(first: Cell, name: str, known: Mapping[str, Collection[str]]) -> Cell:
    """Return the cell that is named beside a first one.

    Args:
        first: the first cell.
        name: ``METHOD.MODEL.TASK.SEED``; or a method, for the cell of the first one's other names.
        known: by axis the names of the configured rows, such as the parameters of a catalog.

    Raises:
        ConfigError: a name is no row's, or the cell is the first one or has another base model.

    >>> rows = {"methods": ["lora", "ia3"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    >>> beside_of(Cell.of("lora.tiny.mood.s0"), "ia3", rows).id
    'ia3.tiny.mood.s0'
    """
    if "." not in name:
        if name not in known["methods"]:
            raise unknown("--beside", "method", name, sorted(known["methods"]))
        cell = first.model_copy(update={"method": name})
    else:
        cell = cell_of([name], known)
    if cell == first:
        raise ConfigError(f"--beside: must be another cell than '{first.id}', got '{name}'")
    if cell.model != first.model:
        raise ConfigError(f"--beside: must have the base model of '{first.id}', got '{cell.id}'")
    return cell


def cell_beside(catalog: DataCatalog, cell: LoadedCell, name: str, run_id: str | None = None) -> LoadedCell:
    """Return another cell, ready to answer.

    Args:
        catalog: that of a session.
        cell: the first cell.
        name: as for ``beside_of``. The untuned model, named by its method alone, needs no cell on record.
        run_id: the run as whose version it answers, where that run has it; otherwise, and for None, it is the version
            on record now.

    Raises:
        ConfigError: as for ``beside_of`` and ``load_cell``.
    """
    known, recorded = catalog.load(names.PARAMETERS), cell.recorded
    other = beside_of(recorded.cell, name, known)
    method = parse(MethodSpec, f"method '{other.method}'", known["methods"][other.method])
    if "." in name or not method.is_base_model:
        held = run_id is not None and other.id in find(catalog, run_id).cells
        return load_cell(catalog, other, run_id if held else None)
    untuned = replace(recorded, cell=other, method=method)
    folder = recorded.checkpoint.folder  # nothing of it is read: there is nothing to load
    answerer = Answerer.of(cell.answerer.base, method, untuned.training_args, recorded.task, folder)
    return LoadedCell(untuned, answerer)
