"""From a cell's names to the cell, ready to answer: its record, its base model, its checkpoint on a clone of it."""

from pathlib import Path

from kedro.io import DataCatalog

from peft_pipelines.config import Cell, ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.encoded import Shot
from peft_pipelines.files import names
from peft_pipelines.inference.answerer import Answerer
from peft_pipelines.inference.few_shot import shots_of
from peft_pipelines.models import base_model
from peft_pipelines.models.folder import CONFIG, folder_of
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.recorded_cell import RecordedCell, cell_of, recorded_cell
from peft_pipelines.storage.hashes import file_hashes
from peft_pipelines.storage.splits import Splits


def load_cell(catalog: DataCatalog, cell: Cell | str, run_id: str | None = None) -> LoadedCell:
    """Return a cell of a store, ready to answer; its base model is read once a process.

    Args:
        catalog: that of a session, which says where cells, models and runs lie.
        cell: the cell, or ``METHOD.MODEL.TASK.SEED``.
        run_id: the run as whose version of the cell it answers; None for the version on record now.

    Raises:
        ConfigError: the cell is unknown, failed or not made, its checkpoint or its base is not there or has changed.
    """
    if isinstance(cell, str):
        cell = cell_of([cell], catalog.load(names.PARAMETERS))
    return loaded(catalog, recorded_cell(catalog, cell, run_id))


def loaded(catalog: DataCatalog, recorded: RecordedCell) -> LoadedCell:
    """Return a cell that is on record, ready to answer; errors as for ``load_cell``."""
    cell = recorded.cell
    base = base_model.resident(recorded.model, weights_folder(catalog, recorded.model))
    if recorded.checkpoint.record["base_checksum"] != base.checksum:
        raise ConfigError(
            f"cell '{cell.id}': the weights of model '{cell.model}' must be those that it was trained on "
            f"(checksum {recorded.checkpoint.record['base_checksum']}), got others (checksum {base.checksum})"
        )
    shots = _shots(catalog, recorded)
    folder = recorded.checkpoint.weights
    answerer = Answerer.of(base, recorded.method, recorded.training_args, recorded.task, folder, shots)
    return LoadedCell(recorded, answerer)


def weights_folder(catalog: DataCatalog, model: ModelSpec) -> Path:
    """Return the folder of a base model; unlike loading the dataset this makes none where it is missing.

    Raises:
        ConfigError: the model is not there.
    """
    dataset = catalog.get(names.weights(model.name))
    assert dataset
    folder = folder_of(model, Path(dataset._describe()["filepath"]))
    if not (folder / CONFIG).is_file():
        remedy = "" if model.folder else "; `kedro fetch` downloads them"
        raise ConfigError(f"model '{model.name}': its weights are not there (looked in '{folder}'){remedy}")
    return folder


def _shots(catalog: DataCatalog, recorded: RecordedCell) -> list[Shot]:
    """The shots of a method that has some, out of the training examples that the cell was made with."""
    if not recorded.method.shots:
        return []
    prompts = recorded_prompts(catalog, recorded, "its shots were drawn from")
    return shots_of(prompts, recorded.task, recorded.method.shots, recorded.seed)


def recorded_prompts(catalog: DataCatalog, recorded: RecordedCell, what: str) -> Splits:
    """Return the prompts of all splits that a cell was made with.

    Args:
        catalog: that of a session.
        recorded: the cell.
        what: what hangs on them, as the error has it.

    Raises:
        ConfigError: those of the store are others, or are gone.
    """
    name = names.prompts(recorded.cell.task)
    dataset = catalog.get(name)
    made_of = recorded.checkpoint.record["provenance"]["data"]["prompts"]["sha256"]
    if not (dataset and dataset.exists()) or file_hashes(dataset) != made_of:
        raise ConfigError(
            f"cell '{recorded.cell.id}': {what} other prompts of task '{recorded.task.name}' than "
            "those of this store; `kedro run` makes the cell again"
        )
    found: Splits = catalog.load(name)
    return found
