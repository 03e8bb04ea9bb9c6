"""Another cell to answer beside one, on the same base model: by its names, or by the name of its method alone."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from kedro.io import DataCatalog

from peft_pipelines.config import Cell, MethodSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.serving.recorded_cell import RecordedCell, cell_of, recorded_cell
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


def recorded_beside(catalog: DataCatalog, first: RecordedCell, name: str, run_id: str | None = None) -> RecordedCell:
    """Return another cell as it is on record; no weights are read.

    Args:
        catalog: that of a session.
        first: the first cell.
        name: as for ``beside_of``. The untuned model, named by its method alone, needs no cell on record.
        run_id: the run as whose version it answers, where that run has it; otherwise, and for None, it is the version
            on record now.

    Raises:
        ConfigError: as for ``beside_of`` and ``recorded_cell``.
    """
    known = catalog.load(names.PARAMETERS)
    other = beside_of(first.cell, name, known)
    method = parse(MethodSpec, f"method '{other.method}'", known["methods"][other.method])
    if "." in name or not method.is_base_model:
        held = run_id is not None and other.id in find(catalog, run_id).cells
        return recorded_cell(catalog, other, run_id if held else None)
    return replace(first, cell=other, method=method)  # nothing of the first one's checkpoint is read for it
